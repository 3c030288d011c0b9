package e2e

import (
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// If the server is killed, the agent reports it once, and the server prints nothing.
func TestBuiltinServerKilled(t *testing.T) {
	t.Parallel()
	b := startBuiltin(t, "--network", "memory")
	status := vitals(t, sessionIn(t, b.runtime))
	tuntest.Signal(t, status.PID, syscall.SIGKILL)
	b.wait(1)
	if want := "tun-mcp: the MCP server was killed (signal: killed)\n"; b.stderr.String() != want {
		t.Errorf("stderr %q, want %q", &b.stderr, want)
	}
}

// Ctrl-C ends the agent, its ping and its server. Each prints its last lines, and
// nothing is left.
func TestBuiltinLeavesNothing(t *testing.T) {
	t.Parallel()
	networks(t, func(t *testing.T, network string) {
		b := startBuiltin(t, "--network", network, "--ping", "100000")
		b.await("64 bytes from") // ping is running
		status := vitals(t, sessionIn(t, b.runtime))
		ended := []func(){tuntest.Watch(t, status.PID)}
		if status.Holder != 0 {
			ended = append(ended, tuntest.Watch(t, status.Holder))
		}
		printed := b.interrupt()
		if !strings.Contains(printed, " packets transmitted") || !strings.Contains(printed, "\nagent ended: ") {
			t.Errorf("ping and the agent should both print their totals; got\n%s", printed)
		}
		for _, wait := range ended {
			wait()
		}
		if left := sessionsIn(t, b.runtime); len(left) != 0 {
			t.Errorf("%d sessions are still there", len(left))
		}
	})
}
