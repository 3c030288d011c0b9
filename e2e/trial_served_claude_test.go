//go:build linux

package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The real Claude Code, started with the trial as its MCP server and the output of
// --print-prompt as its prompt: the verdict is written, and Claude Code ends by itself
// once its model has read that the trial is over.
func TestTrialServedToClaude(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	trial := []string{"trial", "ping", "--agent", "served", "--count", "5", "--interval", "100ms"}
	prompt, err := exec.Command(program, append(trial, "--print-prompt")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"tun": map[string]any{
		"command": program, "args": append(trial, "--json", path),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	c := newClaude(t, claudeProject(t, config), true)
	c.model.set(func(m *model) { m.then, m.stays = 90000, true })
	c.start(string(prompt))
	c.reading()
	if out := c.finished(); out != "I answered 5 packets.\n" {
		t.Errorf("claude printed %q", out)
	}
	report, err := score.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Passed() || report.Reward != 1 || report.Total.Right != 5 || report.Cut != "" || report.Agent.Kind != "served" {
		t.Errorf("reward %v, ended early: %q, %+v", report.Reward, report.Cut, report.Total)
	}
}
