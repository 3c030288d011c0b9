package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/agent"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// runTrialCommand runs `tun-mcp trial` and returns its report, what it printed and its
// exit status.
func runTrialCommand(t *testing.T, args ...string) (*score.Report, string, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(program, append([]string{"trial", "--json", path}, args...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+shortDir(t))
	out, _ := cmd.CombinedOutput()
	report, err := score.Load(path)
	if err != nil && !os.IsNotExist(err) && cmd.ProcessState.ExitCode() != 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	return report, string(out), cmd.ProcessState.ExitCode()
}

// The built-in agent passes every scenario: each is solvable.
func TestTrialOfTheBuiltinAgent(t *testing.T) {
	for _, network := range []string{"private", "memory"} {
		t.Run(network, func(t *testing.T) {
			if network == "private" {
				tuntest.RequirePrivate(t)
			}
			report, out, status := runTrialCommand(t, "--network", network)
			if status != 0 || report.Total.Right != report.Total.Sent || len(report.Scenarios) != len(trial.Scenarios()) {
				t.Errorf("exit status %d\n%s", status, out)
			}
			for _, s := range report.Scenarios {
				if !s.Passed || s.Skipped {
					t.Errorf("%s: %s", s.Scenario, s.Reason)
				}
			}
		})
	}
}

// An agent made wrong on purpose, in eleven ways: each is counted under its own
// kind and nowhere else.
func TestTrialCountsEachMistake(t *testing.T) {
	kinds := strings.Split(agent.Mistakes(), ", ")
	if len(kinds) != 11 {
		t.Fatalf("%d kinds of mistake", len(kinds))
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			scenario, want := "ping", 4
			if kind == score.FaultNoise {
				scenario, want = "noise", 0
			}
			report, out, status := runTrialCommand(t, scenario, "--network", "memory", "--count", "4", "--deadline", "300ms", "--mistake", kind)
			faults := report.Total.Faults
			if status != 1 || len(faults) != 1 || faults[kind] == 0 || want > 0 && faults[kind] != want {
				t.Errorf("exit status %d, faults %v\n%s", status, faults, out)
			}
			if r := report.Total; r.Sent != r.Right+r.Wrong+r.Lost+r.Late {
				t.Errorf("%+v does not add up", r)
			}
		})
	}
}

func TestTrialUsage(t *testing.T) {
	tests := []struct {
		args string
		want string
	}{
		{"nonsense", `there is no scenario "nonsense"; there are: ping, load`},
		{"ping --agent nobody", "accepted are builtin, claude, running, or a command with {config}"},
		{"ping --count 0", "--count 0: accepted are 1 to"},
		{"ping --assist some", `--assist "some": accepted are none, check and fix`},
		{"ping --mistake all", `--mistake: there is no mistake "all"; there are: ip-checksum`},
		{"ping --network host", "private or memory only"},
		{"ping --model x", "--model goes with --agent claude"},
		{"ping --session x", "--session goes with --agent running"},
	}
	for _, test := range tests {
		_, out, status := runTrialCommand(t, strings.Fields(test.args)...)
		if status != 2 || !strings.Contains(out, test.want) {
			t.Errorf("%s: exit status %d, want 2 and %q\n%s", test.args, status, test.want, out)
		}
	}
}

// An agent that is no agent is a result with a reason, never a hang.
func TestTrialOfBadAgents(t *testing.T) {
	tests := []struct{ name, agent, want string }{
		{"exits", "echo no tokens left >&2; exit 3; {server}", "the agent ended before it had started the server: exit status 3; its last words: no tokens left"},
		{"never starts the server", "sleep 60; {server}", "the agent has not started the server in 10.3s"},
		{"never reads", "sleep 60 | {server}", "the agent has not read from the link in 10.3s"},
		{"answers garbage", "yes '{}' | head -n 1000 | {server} >/dev/null", "the agent ended before it had"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			report, out, status := runTrialCommand(t, "ping", "--count", "1", "--network", "memory", "--deadline", "300ms", "--agent", test.agent)
			if status != 1 || len(report.Scenarios) != 1 || !report.Scenarios[0].Skipped || !strings.Contains(report.Scenarios[0].Reason, test.want) {
				t.Errorf("exit status %d, want 1 and the reason %q\n%s", status, test.want, out)
			}
		})
	}
}

// The same seed sends the same data.
func TestTrialSeed(t *testing.T) {
	data := func(seed string) string {
		report, out, status := runTrialCommand(t, "udp-echo", "--network", "memory", "--count", "3", "--seed", seed)
		if status != 0 {
			t.Fatal(out)
		}
		var sizes []int
		for _, c := range report.Scenarios[0].Crossings {
			sizes = append(sizes, c.Bytes)
		}
		text, err := json.Marshal(sizes)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if a, b, c := data("1"), data("1"), data("2"); a != b || a == c {
		t.Errorf("seeds 1, 1, 2 sent datagrams of %s, %s, %s bytes", a, b, c)
	}
}
