//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
)

// A trial of the real Claude Code with a scripted model: every ping is right, and its
// turns and tokens are in the report. The model keeps reading, as the prompt says. It
// stops when the link ends.
func TestTrialOfClaude(t *testing.T) {
	c := newClaude(t, builtProject(t), true)
	c.model.set(func(m *model) { m.then, m.stays = 90000, true })
	bin := t.TempDir() // the trial looks for claude on PATH
	if err := os.Symlink(c.process.Path, filepath.Join(bin, "claude")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(program, "trial", "ping", "--agent", "claude", "--count", "5", "--json", path)
	cmd.Dir, cmd.Env = c.project, append(c.process.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if took := time.Since(start); took > 60*time.Second { // less than one read
		t.Errorf("it took %v", took)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report, err := score.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if report.Total.Right != 5 || report.Total.Sent != 5 || report.Agent.Kind != subject.Claude {
		t.Errorf("%+v\n%s", report.Total, out)
	}
	if u := report.Usage; u == nil || u.Turns < 6 || u.InputTokens == 0 || u.OutputTokens == 0 {
		t.Errorf("usage %+v: want at least 6 turns, and tokens\n%s", u, out)
	}
	if !strings.Contains(string(out), "assist check (fix allowed)") {
		t.Errorf("the assist level is not in the table:\n%s", out)
	}
}
