package mcpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// Called is called after every call, with its outcome.
func TestCalled(t *testing.T) {
	for name, test := range map[string]struct {
		call   func(context.Context, json.RawMessage) (string, error)
		failed bool
		chars  int
	}{
		"returned": {func(context.Context, json.RawMessage) (string, error) { return "done", nil }, false, 4},
		"failed":   {func(context.Context, json.RawMessage) (string, error) { return "", errors.New("no") }, true, 2},
		"panicked": {func(context.Context, json.RawMessage) (string, error) { panic("out of order") }, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var told []session.Call
			s, err := mcpserver.New(mcpserver.Config{
				Status: status,
				Tools:  []tools.Tool{{Name: "try", Schema: map[string]any{"type": "object"}, Call: test.call}},
				Called: func(c session.Call) { told = append(told, c) },
			})
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s, "tools/call", `{"name":"try","arguments":{}}`)
			if len(told) != 1 || told[0].Tool != "try" || told[0].Number != 1 || told[0].Failed != test.failed || told[0].CharsOut != test.chars {
				t.Errorf("Called got %+v, want failed %v, %d characters", told, test.failed, test.chars)
			}
		})
	}
}
