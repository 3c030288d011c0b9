package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// If the server of a session is killed, a trial in it ends, whatever its deadline is.
func TestTrialOfASessionThatIsKilled(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"ping", "udp-echo", "tcp-echo", "load"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			c := startServer(t, modernEra, "--network", "memory")
			c.begin("tools/call", toolCall("read_packet", `{"timeout_ms": 90000}`))
			until(t, "the read waits", func() bool { return c.status().Readers == 1 })
			path := filepath.Join(t.TempDir(), "report.json")
			trial := c.command("trial", scenario, "--agent", "running", "--json", path, "--deadline", "1h")
			if err := trial.Start(); err != nil {
				t.Fatal(err)
			}
			defer time.AfterFunc(patience, func() { _ = trial.Process.Kill() }).Stop()
			until(t, "a request came", func() bool { return c.status().Counters.Received > 0 })
			if err := c.process.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = trial.Wait() // the exit status is checked below
			report, err := score.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if status := trial.ProcessState.ExitCode(); status != 1 || report.Passed() || report.Total.Lost > 0 || report.Cut == "" {
				t.Errorf("exit status %d, %+v, %q", status, report.Total, report.Cut)
			}
		})
	}
}
