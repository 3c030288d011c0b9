package cli

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/subject"
)

// checkHandler checks --handler and --handlers. It loads the program, so that its
// errors show before anything runs.
func (o *trialFlags) checkHandler(t *trial.Options) error {
	switch {
	case o.handlers != "on" && o.handlers != "off":
		return fmt.Errorf("--handlers %q: accepted are on and off", o.handlers)
	case o.handlers == "on" && t.Agent.Kind == subject.Running:
		return errors.New("--handlers on does not go with --agent running: leave it out; handlers are on in the session unless its server was started with --handlers off")
	case o.handlers == "on" && t.Agent.Kind == subject.Handler:
		return errors.New("--handlers on does not go with --agent handler: it has no agent that could install one")
	case o.handler == "" && t.Agent.Kind == subject.Handler:
		return errors.New("--agent handler needs --handler FILE, for instance examples/handlers/tcp.star")
	case o.handler != "" && t.Agent.Kind != subject.Handler:
		return errors.New("--handler needs --agent handler")
	}
	t.Handlers = o.handlers == "on"
	if o.handler == "" {
		return nil
	}
	if _, err := readHandler(o.handler, tools.Assist(o.assist), handler.Limits{}); err != nil {
		return fmt.Errorf("--handler: %w", err)
	}
	t.Handler = o.handler
	t.Agent.Name = "handler " + filepath.Base(o.handler)
	return nil
}

// handlerSum returns the start of the SHA-256 of a handler's program, by which a
// --jsonl file recognizes it, or "" without a handler.
func handlerSum(path, assist string) (string, error) {
	if path == "" {
		return "", nil
	}
	program, err := readHandler(path, tools.Assist(assist), handler.Limits{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.6x", sha256.Sum256([]byte(program.Source()))), nil
}
