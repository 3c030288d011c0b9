package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/child"
)

// launch starts the agent's command, which starts the server.
func (p *player) launch(o *Options, name string, server []string) error {
	folder, err := os.MkdirTemp("", "tun-mcp-trial")
	if err != nil {
		return fmt.Errorf("making a folder for the agent's configuration: %w", err)
	}
	p.folder = folder
	config := filepath.Join(folder, "mcp.json")
	// Not a key more than all clients know: Gemini CLI refuses others.
	data, err := json.MarshalIndent(map[string]any{"mcpServers": map[string]any{
		"tun": map[string]any{"command": server[0], "args": server[1:]},
	}}, "", "  ")
	if err == nil {
		err = os.WriteFile(config, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the agent's configuration: %w", err)
	}
	argv, err := o.agentCommand(name, config, server)
	if err != nil {
		return err
	}
	p.command = exec.Command(argv[0], argv[1:]...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	p.command.WaitDelay = time.Second // its server may hold its stderr a moment longer
	child.Apart(p.command)            // Ctrl-C is for the trial, which then ends the agent
	if err := p.command.Start(); err != nil {
		p.command = nil
		return fmt.Errorf("starting the agent (%s): %w", argv[0], err)
	}
	release, err := child.Guard(p.command)
	go p.watch(release)
	return err
}

// watch notes how the command ends.
func (p *player) watch(release func()) {
	p.failure = p.command.Wait()
	if release != nil {
		release()
	}
	close(p.ended)
}
