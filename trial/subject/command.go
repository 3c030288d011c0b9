package subject

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
)

// command returns the command line of the agent. Name is the session's name, config the
// path of the agent's MCP configuration, server the command line of the session's
// server. An error names the program that is missing.
func (c *Config) command(name, config string, server []string) ([]string, error) {
	switch c.Agent.Kind {
	case Builtin:
		argv := append([]string{c.Program, "agent", "--quiet", "--session", name}, server[4:]...)
		return append(argv, c.Flags...), nil
	case Handler:
		return server, nil
	case Claude:
		claude, err := exec.LookPath("claude")
		if err != nil {
			return nil, fmt.Errorf("claude is not on PATH: install Claude Code (npm install -g @anthropic-ai/claude-code), or choose another --agent")
		}
		argv := []string{claude, "-p", c.Prompt(), "--mcp-config", config, "--strict-mcp-config",
			"--allowedTools", "mcp__tun", "--output-format", "json"}
		if c.Agent.Model != "" {
			argv = append(argv, "--model", c.Agent.Model)
		}
		return argv, nil
	}
	quoted := make([]string, len(server))
	for i, word := range server {
		quoted[i] = quote(word)
	}
	line := strings.NewReplacer("{config}", quote(config), "{prompt}", quote(c.Prompt()), "{server}", strings.Join(quoted, " ")).Replace(c.Agent.Name)
	if runtime.GOOS == "windows" {
		return []string{"cmd", "/c", line}, nil
	}
	return []string{"/bin/sh", "-c", line}, nil
}

// quote quotes text as one word of a shell command: sh, or cmd on Windows.
func quote(word string) string {
	if runtime.GOOS == "windows" {
		return `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
