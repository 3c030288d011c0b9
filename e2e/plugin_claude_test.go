//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newClaudeWithPlugin prepares Claude Code in an empty folder that its user never
// trusted, with the plugin as it is shipped. The program that the plugin starts is on
// PATH, as after `go install`.
func newClaudeWithPlugin(t *testing.T) (c *claude, flags []string) {
	t.Helper()
	c = newClaude(t, t.TempDir(), false)
	c.model.set(func(m *model) { m.tool = "mcp__plugin_tun-mcp_tun__" })
	i := slices.IndexFunc(c.process.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	c.process.Env[i] = "PATH=" + filepath.Dir(program) + ":" + strings.TrimPrefix(c.process.Env[i], "PATH=")
	folder, err := filepath.Abs(pluginFolder)
	if err != nil {
		t.Fatal(err)
	}
	return c, []string{"--plugin-dir", folder}
}

// The real Claude Code accepts the manifests.
func TestClaudeCodeValidatesPlugin(t *testing.T) {
	path := requireClaude(t)
	for _, folder := range []string{".", pluginFolder} {
		cmd := exec.Command(path, "plugin", "validate", "--strict", folder)
		c := newClaude(t, t.TempDir(), false)
		cmd.Env = c.process.Env
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Validation passed") {
			t.Errorf("claude plugin validate --strict %s: %v\n%s", folder, err, out)
		}
	}
}

// A user with the plugin and the installed program, in any folder: the command is
// found, its permissions are sufficient, the skill is offered, and pings are answered.
func TestClaudeCodePluginAnswersPings(t *testing.T) {
	const count = 3 // as many as an ordinary user may send at once
	c, flags := newClaudeWithPlugin(t)
	c.start(fmt.Sprintf("/tun-mcp:answer-pings %d", count), flags...)
	c.reading()
	gone := c.traces()
	// All at once: then ping waits for the first answer as long as -W says. On a busy
	// machine a turn may take seconds.
	out, err := exec.Command(program, "exec", "--", "ping", "-q", "-l", "3", "-c", "3", "-W", "60", "10.77.0.2").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "3 packets transmitted, 3 received, 0% packet loss") {
		t.Errorf("ping: %v\n%s", err, out)
	}
	if out, want := c.finished(), fmt.Sprintf("I answered %d pings", count); !strings.Contains(out, want) {
		t.Errorf("claude printed %q, want %q in it", out, want)
	}
	gone()
	first := c.turns()[0].ask
	told := string(first.System)
	for _, message := range first.Messages {
		told += plain(message.Content)
	}
	for _, tool := range first.Tools {
		told += "\n" + tool.Name + ": " + tool.Description
	}
	for _, want := range []string{
		"until you have answered 3 of them", "tun://docs/answer-pings.md", // from the command
		"tun-mcp:play-ip-stack", "tun-mcp:play-host", // the skill and the other command
		"You are the host 10.77.0.2", // from the server's instructions
		"mcp__plugin_tun-mcp_tun__read_packet: ", "mcp__plugin_tun-mcp_tun__write_packet: ",
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the first request lacks %q:\n%s", want, told)
		}
	}
}

// If the program is missing, here because the user names a wrong one, mcp list says
// that it was not found. In a session, the skill tells the model what to do.
func TestClaudeCodePluginWithoutProgram(t *testing.T) {
	c, flags := newClaudeWithPlugin(t)
	cmd := exec.Command(c.process.Path, append(flags, "mcp", "list")...)
	cmd.Dir, cmd.Env = c.process.Dir, append(c.process.Env, "TUN_MCP=no-such-tun-mcp")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "plugin:tun-mcp:tun: no-such-tun-mcp serve") || !strings.Contains(string(out), "Executable not found in $PATH") {
		t.Errorf("claude mcp list: %v\n%s", err, out)
	}
}
