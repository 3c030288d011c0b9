package trial

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Kinds of agent.
const (
	AgentBuiltin = "builtin" // the stack of this program: no model
	AgentClaude  = "claude"  // claude -p
	AgentCommand = "command" // any other MCP client
	AgentRunning = "running" // whoever plays in a session that is running
)

// ParseAgent returns the agent that --agent and --model name.
func ParseAgent(text, model string) (score.Agent, error) {
	switch text {
	case AgentBuiltin, AgentRunning:
		if model != "" {
			return score.Agent{}, fmt.Errorf("--model goes with --agent claude, not with %s", text)
		}
		return score.Agent{Kind: text, Name: text}, nil
	case AgentClaude:
		name := "claude"
		if model != "" {
			name += " (" + model + ")"
		}
		return score.Agent{Kind: AgentClaude, Name: name, Model: model}, nil
	case "", AgentCommand:
		return score.Agent{}, errNoCommand
	}
	if !strings.Contains(text, "{config}") && !strings.Contains(text, "{server}") {
		return score.Agent{}, fmt.Errorf("--agent %q: accepted are builtin, claude, running, or a command with {config} (the path of an MCP configuration) or {server} (the server's command line), and {prompt}", text)
	}
	if model != "" {
		return score.Agent{}, fmt.Errorf("--model goes with --agent claude: name the model in the command itself")
	}
	return score.Agent{Kind: AgentCommand, Name: text}, nil
}

// agentCommand is the command line that starts the agent with a session's
// server.
func (o *Options) agentCommand(name, config string, server []string) ([]string, error) {
	switch o.Agent.Kind {
	case AgentBuiltin:
		argv := append([]string{o.Program, "agent", "--quiet", "--session", name}, server[4:]...)
		return append(argv, o.Builtin...), nil
	case AgentClaude:
		claude, err := exec.LookPath("claude")
		if err != nil {
			return nil, fmt.Errorf("there is no claude on PATH: install Claude Code (npm install -g @anthropic-ai/claude-code), or choose another --agent")
		}
		argv := []string{claude, "-p", o.prompt(), "--mcp-config", config, "--strict-mcp-config",
			"--allowedTools", "mcp__tun", "--output-format", "json"}
		if o.Agent.Model != "" {
			argv = append(argv, "--model", o.Agent.Model)
		}
		return argv, nil
	}
	quoted := make([]string, len(server))
	for i, word := range server {
		quoted[i] = quote(word)
	}
	line := strings.NewReplacer("{config}", quote(config), "{prompt}", quote(o.prompt()), "{server}", strings.Join(quoted, " ")).Replace(o.Agent.Name)
	if runtime.GOOS == "windows" {
		return []string{"cmd", "/c", line}, nil
	}
	return []string{"/bin/sh", "-c", line}, nil
}

// quote makes one word of a shell's.
func quote(word string) string {
	if runtime.GOOS == "windows" {
		return `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// idleRead is how long a model is told to wait for a packet: read_packet's own
// default, which every client has to bear.
const idleRead = 30 * time.Second

// idleReads is how many reads in a row have to bring nothing before a model is
// told to stop. A request that it did not answer is waited for until its
// deadline, and at the end of its scenario once more; then others may come.
func (o *Options) idleReads() int {
	return int(2*fromMilliseconds(o.Settings.Deadline)/idleRead) + 2
}

// prompt is what a model is told. It says nothing of the scenarios' traps.
func (o *Options) prompt() string {
	guides := []string{"answer-pings.md"}
	if o.Assist == "none" {
		guides = []string{"no-summary.md", "answer-pings.md"}
	}
	if slices.ContainsFunc(o.Scenarios, func(s Scenario) bool { return !s.Echo() }) {
		guides = append(guides, "play-host.md", "play-tcp.md")
		if o.Assist != "fix" {
			guides = slices.Insert(guides, 0, "by-hand.md") // what holds in place of what the others say stands first
		}
	}
	if slices.ContainsFunc(o.Scenarios, func(s Scenario) bool { return s.IPv6 }) {
		guides = append(guides, "play-ip6.md")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "You are a host on an IP link, by the tools read_packet, write_packet and hexdump of the MCP server tun. "+
		"Its instructions and tun://status tell your addresses. "+
		"Be that host until the tools say that the link has ended: that is the end of your task. "+
		"Stop by yourself only after %d reads in a row, each with timeout_ms %d, have brought nothing. "+
		"At the end say in one line how many packets you answered, and stop. Do not use any other tool, and write no program: every byte is yours.\n",
		o.idleReads(), idleRead.Milliseconds())
	for _, name := range guides {
		text, err := docs.Files.ReadFile(name)
		if err != nil { // the guides are embedded: a missing one is a mistake in this package
			panic(err)
		}
		b.WriteString("\n" + string(text))
	}
	return b.String()
}

// usage reads what claude -p --output-format json told of itself, nil if it
// told nothing.
func usage(output []byte) (*score.Usage, string) {
	var told struct {
		Type     string  `json:"type"`
		NumTurns int     `json:"num_turns"`
		Cost     float64 `json:"total_cost_usd"`
		Usage    struct {
			Input  int `json:"input_tokens"`
			Create int `json:"cache_creation_input_tokens"`
			Read   int `json:"cache_read_input_tokens"`
			Output int `json:"output_tokens"`
		} `json:"usage"`
		Models map[string]json.RawMessage `json:"modelUsage"`
	}
	if json.Unmarshal(output, &told) != nil || told.Type != "result" {
		return nil, ""
	}
	model := strings.Join(slices.Sorted(maps.Keys(told.Models)), ", ")
	return &score.Usage{Turns: told.NumTurns, InputTokens: told.Usage.Input + told.Usage.Create + told.Usage.Read,
		OutputTokens: told.Usage.Output, CostUSD: told.Cost}, model
}
