package subject

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tun-mcp/tun-mcp/child"
)

// launch starts the agent's command, which starts the server.
func (s *Subject) launch(c *Config, name string, server []string) error {
	folder, err := os.MkdirTemp("", "tun-mcp-trial")
	if err != nil {
		return fmt.Errorf("making a folder for the agent's configuration: %w", err)
	}
	s.folder = folder
	config := filepath.Join(folder, "mcp.json")
	// Only keys that every client knows: Gemini CLI rejects others.
	data, err := json.MarshalIndent(map[string]any{"mcpServers": map[string]any{
		"tun": map[string]any{"command": server[0], "args": server[1:]},
	}}, "", "  ")
	if err == nil {
		err = os.WriteFile(config, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the agent's configuration: %w", err)
	}
	argv, err := c.command(name, config, server)
	if err != nil {
		return err
	}
	s.command = exec.Command(argv[0], argv[1:]...)
	s.command.Stdout, s.command.Stderr = &s.stdout, &s.stderr
	s.command.WaitDelay = time.Second // its server may keep stderr open a moment longer
	child.Apart(s.command)            // only the trial gets Ctrl-C, and then ends the agent
	if c.Agent.Kind == Handler {
		// The server ends when its stdin closes. This pipe takes the place of a client.
		if s.stdin, err = s.command.StdinPipe(); err != nil {
			return fmt.Errorf("starting the server: %w", err)
		}
	}
	if err := s.command.Start(); err != nil {
		s.command = nil
		return fmt.Errorf("starting the agent (%s): %w", argv[0], err)
	}
	release, err := child.Guard(s.command)
	go s.await(release)
	return err
}

// await waits for the command and records how it ended.
func (s *Subject) await(release func()) {
	s.failure = s.command.Wait()
	if release != nil {
		release()
	}
	close(s.ended)
}
