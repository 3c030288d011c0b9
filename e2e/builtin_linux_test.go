package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A server that was killed is told of once, and said nothing itself.
func TestBuiltinServerKilled(t *testing.T) {
	b := startBuiltin(t, "--network", "memory")
	t.Setenv("XDG_RUNTIME_DIR", b.runtime)
	found, err := control.Find("")
	if err != nil {
		t.Fatal(err)
	}
	status, err := found.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.wait(1)
	if want := "tun-mcp: the MCP server was killed (signal: killed)\n"; b.stderr.String() != want {
		t.Errorf("stderr %q, want %q", &b.stderr, want)
	}
}

// Ctrl-C ends the agent, its ping and its server, each with its last words, and
// nothing is left.
func TestBuiltinLeavesNothing(t *testing.T) {
	for _, network := range []string{"private", "memory"} {
		t.Run(network, func(t *testing.T) {
			if network == "private" {
				tuntest.RequirePrivate(t)
			}
			b := startBuiltin(t, "--network", network, "--ping", "100000")
			b.await("64 bytes from") // ping is under way
			t.Setenv("XDG_RUNTIME_DIR", b.runtime)
			found, err := control.Find("")
			if err != nil {
				t.Fatal(err)
			}
			status, err := found.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ended := []func(){tuntest.Watch(t, status.PID)}
			if status.Holder != 0 {
				ended = append(ended, tuntest.Watch(t, status.Holder))
			}
			printed := b.interrupt()
			if !strings.Contains(printed, " packets transmitted") || !strings.Contains(printed, "\nagent ended: ") {
				t.Errorf("ping should sum up, and the agent, too; printed was\n%s", printed)
			}
			for _, wait := range ended {
				wait()
			}
			if running := control.Running(); len(running) != 0 {
				t.Errorf("sessions are still there: %v", running)
			}
		})
	}
}
