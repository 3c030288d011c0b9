package e2e

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A trial that is itself the MCP server scores whichever client started it, and ends
// once its client knows.
func TestTrialServed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		leaves bool // leaves during the trial
		passed bool
		reward float64
	}{
		"to the end":   {false, true, 1},
		"leaves early": {true, false, 0.99},
	} {
		t.Run(name, func(t *testing.T) {
			runtime, path := tuntest.RuntimeDir(t), filepath.Join(t.TempDir(), "report.json")
			var said bytes.Buffer
			count := "20"
			if test.leaves {
				count = "10000"
			}
			a, err := agent.Start(t.Context(), agent.Config{Stderr: &said, Server: []string{"env", "XDG_RUNTIME_DIR=" + runtime, program, "trial", "ping", "dns",
				"--agent", "served", "--network", "memory", "--count", count, "--json", path}})
			if err != nil {
				t.Fatalf("%v\n%s", err, &said)
			}
			ran := make(chan error, 1)
			go func() { ran <- a.Run(t.Context()) }()
			if test.leaves {
				until(t, "some pings are answered", func() bool { return runningSession(t, runtime).Counters.Written > 20 })
			} else if err := <-ran; err == nil || !strings.Contains(err.Error(), "the trial is over") {
				t.Fatalf("%v, want the notice that the trial is over", err)
			}
			if _, err := a.Close(); err != nil {
				t.Log(err) // the trial did not pass, so its exit status is 1
			}
			found, err := score.Load(path)
			if err != nil {
				t.Fatalf("%v\n%s", err, &said)
			}
			if found.Passed() != test.passed || found.Reward > test.reward || found.Reward == 0 || found.Agent.Kind != "served" {
				t.Errorf("passed %t, reward %v, ended early: %q\n%s", found.Passed(), found.Reward, found.Cut, &said)
			}
			if test.leaves && (found.Scenarios[0].Tally.Right < 10 || found.Cut == "") {
				t.Errorf("%d right, ended early: %q", found.Scenarios[0].Tally.Right, found.Cut)
			}
		})
	}
}

// runningSession returns the status of the only session in a runtime folder. It returns
// false if there is none.
func runningSession(t *testing.T, runtime string) (status session.Status) {
	for _, s := range sessionsIn(t, runtime) {
		status, _ = s.Status(t.Context()) // it may not answer yet
	}
	return status
}
