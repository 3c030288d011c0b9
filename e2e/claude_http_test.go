//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// httpProject is a folder whose .mcp.json names a server that runs already, as
// the README shows it.
func httpProject(t *testing.T, url string) string {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"tun": map[string]any{
		"type": "http", "url": url, "headers": map[string]string{"Authorization": "Bearer ${TUN_MCP_TOKEN}"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(".claude/settings.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".claude"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{".mcp.json": config, ".claude/settings.json": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Claude Code with a server that it did not start: over HTTP, with a token, the
// same tools and prompt. Two sessions of it, one after the other, meet the same
// link, and the server outlives both.
func TestClaudeCodeOverHTTP(t *testing.T) {
	const count, token = 5, "0123456789abcdef-claude"
	requireClaude(t)
	command := exec.Command(program)
	command.Env = []string{"TUN_MCP_TOKEN" + "=" + token}
	s := startHTTP(t, command)
	project := httpProject(t, s.url)
	for range 2 {
		c := newClaude(t, project, true)
		c.process.Env = append(c.process.Env, "TUN_MCP_TOKEN"+"="+token)
		c.start("/mcp__tun__answer-pings " + strconv.Itoa(count))
		c.reading()
		out, err := s.command("ping", "-c", strconv.Itoa(count), "-i", "0.3", "-W", "20").CombinedOutput()
		if want := "5 packets transmitted, 5 received, 0% packet loss"; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("ping: %v\n%s\nwant: %s", err, out, want)
		}
		if out := c.finished(); !strings.Contains(out, "I answered 5 pings") {
			t.Errorf("claude printed %q", out)
		}
		checkTools(t, c.turns()[0].ask)
	}
}
