package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The main job: the built program, over real stdio, and the kernel's own ping, answered
// only through the tools.
func TestAgentAnswersPing(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "ping")
	tests := []struct {
		name  string
		batch int
		count string
		pace  string
	}{
		{"one call a packet", 1, "200", "-i0.01"},
		{"ten packets a call under flood", 10, "1000", "-f"},
	}
	bothEras(t, func(t *testing.T, era string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				c := startServer(t, era, "--network", "private")
				ping := c.command("exec", "--", "ping", "-q", test.pace, "-c", test.count, "10.77.0.2")
				type result struct {
					out []byte
					err error
				}
				done := make(chan result, 1)
				go func() {
					out, err := ping.CombinedOutput()
					done <- result{out, err}
				}()
				c.pingsWait(20)
				agent := &scripted{c: c, batch: test.batch}
				agent.run()
				r := <-done
				want := fmt.Sprintf("%s packets transmitted, %s received, 0%% packet loss", test.count, test.count)
				if r.err != nil || !strings.Contains(string(r.out), want) {
					t.Errorf("ping: %v\n%s\nwant: %s\nagent: %d answered, faults %q\nserver: %s", r.err, r.out, want, agent.answered, agent.faults, c.errors())
				}
				if test.batch == 1 && agent.calls != agent.answered+1 {
					t.Errorf("%d calls for %d packets, want one call a packet and one empty read", agent.calls, agent.answered)
				}
			})
		}
	})
}
