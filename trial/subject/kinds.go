package subject

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Kinds of agent.
const (
	Builtin = "builtin" // the built-in agent, without a model
	Handler = "handler" // a packet handler alone, without an agent
	Claude  = "claude"  // Claude Code, as claude -p
	Command = "command" // any other MCP client, started by a command line
	Served  = "served"  // the MCP client of this process, which serves it
	Running = "running" // the agent of a running session
)

// Parse returns the agent for --agent text and --model model. The error says what is
// accepted.
func Parse(text, model string) (score.Agent, error) {
	switch text {
	case Builtin, Handler, Running, Served:
		if model != "" {
			return score.Agent{}, fmt.Errorf("--model goes with --agent claude, not with --agent %s: leave it out", text)
		}
		return score.Agent{Kind: text, Name: text}, nil
	case Claude:
		name := "claude"
		if model != "" {
			name += " (" + model + ")"
		}
		return score.Agent{Kind: Claude, Name: name, Model: model}, nil
	case "", Command:
		return score.Agent{}, errNoCommand
	}
	if !strings.Contains(text, "{config}") && !strings.Contains(text, "{server}") {
		return score.Agent{}, fmt.Errorf("--agent %q: accepted are builtin, handler, claude, running, served, or a command with {config} (the path of an MCP configuration) or {server} (the server's command line), and {prompt}", text)
	}
	if model != "" {
		return score.Agent{}, fmt.Errorf("--model goes with --agent claude: for another client, name the model in its command")
	}
	return score.Agent{Kind: Command, Name: text}, nil
}

var errNoCommand = errors.New("--agent has no command: give one that starts an MCP client, with {config} and {prompt} in it")
