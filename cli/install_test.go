package cli

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/clients"
)

// Ctrl-C at the question ends it, and a y after it writes nothing.
func TestInterruptAtTheQuestion(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	answers, typed := io.Pipe()
	defer typed.Close()
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetIn(answers)
	cmd.SetOut(writerFunc(func(text string) {
		if strings.Contains(text, "[y/N]") {
			interrupt()
		}
	}))
	if err := (&installOptions{}).confirm(cmd, 1); err == nil || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("interrupted: %v", err)
	}

	cmd.SetIn(strings.NewReader("y\n"))
	if err := (&installOptions{}).confirm(cmd, 1); err == nil || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("y after the interrupt: %v", err)
	}
	cmd.SetContext(t.Context())
	cmd.SetIn(strings.NewReader("y\n"))
	if err := (&installOptions{}).confirm(cmd, 1); err != nil {
		t.Errorf("y: %v", err)
	}
}

// writerFunc is a Writer that calls a function.
type writerFunc func(text string)

func (f writerFunc) Write(b []byte) (int, error) {
	f(string(b))
	return len(b), nil
}

// The advice removes only the server that is in the way.
func TestAdviceToRemove(t *testing.T) {
	if got, want := reason(clients.ErrDiffers, "zed", "lab"), "tun-mcp install --remove --name lab zed"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
