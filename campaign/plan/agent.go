package plan

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Agent is a player, described as for `tun-mcp trial --agent`.
type Agent struct {
	Name     string   `yaml:"name"`     // letters, digits and hyphens; unique
	Agent    string   `yaml:"agent"`    // builtin, handler, claude, or a command with {config} or {server}, and {prompt}
	Model    string   `yaml:"model"`    // only with claude
	Handler  string   `yaml:"handler"`  // only with handler: the program's file, relative to the plan's folder
	Mistake  string   `yaml:"mistake"`  // only with builtin
	Parallel int      `yaml:"parallel"` // trials at once; default: limits.parallel
	Deadline Duration `yaml:"deadline"` // default: the plan's
	Interval Duration `yaml:"interval"` // default: the plan's

	// Source is the text of the handler's program, which Load reads. It is part of
	// the plan: a campaign stores it, sends it to its workers and cannot continue
	// with another one.
	Source string `yaml:"-" json:",omitempty"`
}

// accepted says in errors what Agent.Agent may be.
const accepted = "accepted are builtin, handler, claude, or a command with {config} or {server}, and {prompt}"

// modelName matches the names of models, which are an argument of a command.
var modelName = regexp.MustCompile(`^[!-,.-~][!-~]{0,199}$`)

// maxHandlerBytes is the longest handler that tun-mcp accepts.
const maxHandlerBytes = 64 << 10

// computed reports whether the agent is a program rather than a model: it answers
// at once and costs nothing.
func (a Agent) computed() bool { return a.Agent == "builtin" || a.Agent == "handler" }

// readHandler reads the handler's program into a.Source. folder is the plan's.
func (a *Agent) readHandler(folder string) error {
	if a.Handler == "" {
		return nil
	}
	path := a.Handler
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	// A named pipe would make Open wait for a writer.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("agent %s: handler %s is not a regular file; name the file of a program", a.Name, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("agent %s: handler: %w; the path is relative to the plan's folder", a.Name, err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, maxHandlerBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("agent %s: handler: %w", a.Name, err)
	case len(source) == 0:
		return fmt.Errorf("agent %s: handler %s is empty", a.Name, path)
	case len(source) > maxHandlerBytes:
		return fmt.Errorf("agent %s: handler %s is longer than %d KiB", a.Name, path, maxHandlerBytes>>10)
	}
	a.Source = string(source)
	return nil
}

// checkAgents returns an error that names the line of the first wrong agent.
func (p *Plan) checkAgents(root *yaml.Node) error {
	list := find(root, "agents")
	seen := make(map[string]bool)
	for i, a := range p.Agents {
		node := list.Content[i]
		switch {
		case a.Agent == "":
			return at(node, "agent")("agent %q has no agent: %s", a.Name, accepted)
		case !named.MatchString(a.Name):
			return at(node, "name")("%q: accepted are 1 to 40 letters, digits and hyphens", a.Name)
		case seen[strings.ToLower(a.Name)]:
			return at(node, "name")("two agents are named %q (upper and lower case are the same)", a.Name)
		case a.Agent == "running" || a.Agent == "served":
			return at(node, "agent")("%s: a campaign starts its agents itself; %s", a.Agent, accepted)
		case a.Model != "" && a.Agent != "claude":
			return at(node, "model")("it is only for agent: claude; with another client, name the model in its command")
		case a.Model != "" && !modelName.MatchString(a.Model):
			return at(node, "model")("%q: accepted are 1 to 200 printable ASCII characters without spaces, the first not a hyphen", a.Model)
		case a.Mistake != "" && a.Agent != "builtin":
			return at(node, "mistake")("it is only for agent: builtin")
		case a.Handler != "" && a.Agent != "handler":
			return at(node, "handler")("it is only for agent: handler")
		case a.Handler == "" && a.Agent == "handler":
			return at(node, "agent")("handler needs the program's file; add handler: FILE")
		case !a.computed() && a.Agent != "claude" && !strings.Contains(a.Agent, "{config}") && !strings.Contains(a.Agent, "{server}"):
			return at(node, "agent")("%q: %s", a.Agent, accepted)
		case a.Interval != 0 && a.Interval < minInterval:
			return p.short(root, node, "interval", a.Interval, minInterval)
		case a.Deadline != 0 && a.Deadline < minDeadline:
			return p.short(root, node, "deadline", a.Deadline, minDeadline)
		case a.Parallel < 1 || a.Parallel > 10_000:
			return at(node, "parallel")("%d: accepted are 1 to 10000", a.Parallel)
		}
		seen[strings.ToLower(a.Name)] = true
	}
	return nil
}

// The shortest interval and deadline that tun-mcp trial accepts.
const (
	minInterval = Duration(time.Millisecond)
	minDeadline = Duration(10 * time.Millisecond)
)

// short returns the error for a duration of an agent that is too short. If the agent
// has none of its own, it is the plan's.
func (p *Plan) short(root, agent *yaml.Node, key string, got, least Duration) error {
	if find(agent, key) != agent {
		root = agent
	}
	return at(root, key)("%v: accepted is %v or more", got, least)
}

// CheckMistakes returns an error if an agent's mistake is not among known, those of
// tun-mcp trial.
func (p *Plan) CheckMistakes(known []string) error {
	for _, a := range p.Agents {
		if a.Mistake != "" && !slices.Contains(known, a.Mistake) {
			return fmt.Errorf("agent %s: there is no mistake %q; accepted are %s", a.Name, a.Mistake, strings.Join(known, ", "))
		}
	}
	return nil
}
