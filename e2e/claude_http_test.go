//go:build linux

package e2e

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// httpProject returns a folder whose .mcp.json names a running server, as in the
// README.
func httpProject(t *testing.T, url string) string {
	t.Helper()
	config, err := json.Marshal(map[string]any{"mcpServers": map[string]any{"tun": map[string]any{
		"type": "http", "url": url, "headers": map[string]string{"Authorization": "Bearer ${TUN_MCP_TOKEN}"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return claudeProject(t, config)
}

// Claude Code with a running server: over HTTP with a token, it gets the same tools and
// prompt. Two sessions of it, one after the other, use the same link, and the server
// outlives both.
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
