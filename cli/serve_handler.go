package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/tools"
)

// parseHandler checks the flags about handlers.
func (s *serveOptions) parseHandler() error {
	if s.handlers != "on" && s.handlers != "off" {
		return fmt.Errorf("--handlers %q: accepted are on and off", s.handlers)
	}
	for _, limit := range []struct {
		name        string
		value, most int
	}{
		{"handler-source", s.limits.Source, 1 << 20}, {"handler-steps", s.limits.Steps, 1_000_000}, {"handler-memory", s.handlerMemory, 1024},
	} {
		if limit.value < 1 || limit.value > limit.most {
			return fmt.Errorf("--%s %d: accepted is 1 to %d", limit.name, limit.value, limit.most)
		}
	}
	if s.limits.Time <= 0 || s.limits.Time > time.Minute {
		return fmt.Errorf("--handler-time %v: accepted is a time up to 1m, for instance 250ms", s.limits.Time)
	}
	s.limits.Memory = s.handlerMemory << 20
	return nil
}

// loadHandler loads the program that --handler names. It returns nil without that
// flag.
func (s *serveOptions) loadHandler(assist tools.Assist) (*handler.Handler, error) {
	if s.handler == "" {
		return nil, nil
	}
	program, err := readHandler(s.handler, assist, s.limits)
	if err != nil {
		return nil, fmt.Errorf("--handler: %w", err)
	}
	return program, nil
}

// readHandler loads a handler from a file.
func readHandler(path string, assist tools.Assist, limits handler.Limits) (*handler.Handler, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if limits.Source == 0 {
		limits.Source = handler.DefaultSource
	}
	source, err := io.ReadAll(io.LimitReader(file, int64(limits.Source)+1)) // Load refuses the extra byte
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return handler.Load(string(source), handler.Options{Name: filepath.Base(path), Fix: assist == tools.AssistFix, Limits: limits})
}
