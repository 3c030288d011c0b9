package subject

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// dismiss ends the link of an agent that the trial has started. It leaves a session
// alone that was already running.
func TestDismiss(t *testing.T) {
	client := trialtest.Open(t, tun.Config{}, nil)
	end := func() error {
		status, err := client.Status(t.Context())
		if err == nil && status.State != "open" {
			err = errors.New(status.State)
		}
		return err
	}
	p := &Subject{Session: client}
	if p.dismiss(); end() != nil {
		t.Errorf("a session that the trial did not start has ended: %v", end())
	}
	p.command = new(exec.Cmd)
	p.dismiss()
	want := (&session.EndedError{Why: "the trial is over"}).Error()
	if err := end(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
