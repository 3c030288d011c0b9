package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// inspectSample is the output of testdata/inspect/check.py about a sample.
type inspectSample struct {
	Task, ID, Told, Answer, Why string
	Reward                      float64
}

// The file for Inspect AI, tested without Inspect AI: it has a task for each scenario,
// its samples tell the model what it needs to know, and its scorer reads real reports.
func TestInspectTasks(t *testing.T) {
	t.Parallel()
	all := scenario.All()
	samples := inspectTasks(t, nil)
	if len(samples) != len(all) {
		t.Fatalf("%d samples of %d scenarios", len(samples), len(all))
	}
	for i, s := range samples {
		name := all[i].Name
		if s.Task != strings.ReplaceAll(name, "-", "_") || s.ID != name+"-1" || s.Reward != 1 || s.Why != "The trial ran to its end." {
			t.Errorf("%s: task %s, sample %s, reward %v: %s", name, s.Task, s.ID, s.Reward, s.Why)
		}
		if !strings.Contains(s.Told, "the tools read_packet") || !strings.Contains(s.Told, "2001:db8:77::2") {
			t.Errorf("%s: the model is told %.200q", name, s.Told)
		}
	}
	if s := samples[0]; s.Answer != "2 of 2 right" {
		t.Errorf("answer %q", s.Answer)
	}

	for _, s := range inspectTasks(t, []string{"MISTAKE=noise"}, "noise") {
		if s.Reward <= 0 || s.Reward >= 1 {
			t.Errorf("%s, wrong on purpose: reward %v", s.ID, s.Reward)
		}
	}
	for i, s := range inspectTasks(t, []string{"NOBODY=1"}, "ping") {
		if want := "ping-" + string(rune('1'+i)); s.ID != want || s.Reward != 0 || !strings.Contains(s.Why, "There is no report") {
			t.Errorf("%s, not played: reward %v: %s", s.ID, s.Reward, s.Why)
		}
	}
}

// inspectTasks runs the tasks with these names, or all, each with a count of 2.
func inspectTasks(t *testing.T, env []string, names ...string) (samples []inspectSample) {
	t.Helper()
	tuntest.RequireProgram(t, "python3")
	cmd := exec.Command("python3", append([]string{"e2e/testdata/inspect/check.py"}, names...)...)
	cmd.Env = append(append(os.Environ(), "TUN_MCP="+program, "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t)), env...)
	var faults strings.Builder
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &faults)
	}
	for line := range strings.Lines(string(out)) {
		var s inspectSample
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		samples = append(samples, s)
	}
	if len(samples) == 0 {
		t.Fatalf("no task is named %q", names)
	}
	return samples
}
