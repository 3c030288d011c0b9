package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// addTool declares a tool to the server. Results are text alone: a client that
// finds structured content beside it may keep the text from its model.
func addTool(s *server.MCPServer, tool tools.Tool, calls *calls) error {
	schema, err := json.Marshal(tool.Schema)
	if err != nil {
		return err
	}
	declared := mcp.NewToolWithRawSchema(tool.Name, tool.Description, schema)
	declared.Title = tool.Title
	declared.Annotations = hints(tool)
	// Claude Code shows its model a tool's name alone until the model asks for
	// more, which costs a turn; this loads it at once.
	declared.Meta = &mcp.Meta{AdditionalFields: map[string]any{"anthropic/alwaysLoad": true}}
	s.AddTool(declared, func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		arguments, err := rawArguments(request)
		if err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		ctx, cancel := until(ctx)
		defer cancel()
		result, err := calls.run(ctx, tool, arguments)
		if err != nil {
			// A Go error would become a JSON-RPC error, which models may not see.
			return mcp.NewToolResultError(err.Error()), nil
		}
		return mcp.NewToolResultText(result), nil
	})
	return nil
}

// calls numbers the calls of all tools and tells of each when it has ended.
type calls struct {
	last  atomic.Int64 // number of the last that began
	ended func(session.Call)
}

func (c *calls) run(ctx context.Context, tool tools.Tool, arguments json.RawMessage) (result string, err error) {
	call := session.Call{Number: int(c.last.Add(1)), Tool: tool.Name, Began: time.Now(), CharsIn: utf8.RuneCount(arguments)}
	// Deferred, so that a call that panics is told of, too: it has failed.
	failed := true
	defer func() {
		text := result
		if err != nil {
			text = err.Error()
		}
		call.CharsOut, call.Failed = utf8.RuneCountInString(text), failed
		c.ended(call)
	}()
	result, err = tool.Call(session.WithCall(ctx, call), arguments)
	failed = err != nil
	return result, err
}

// addedByClients are arguments that a client declares to its model beside the
// tool's own, and then passes on: Gemini CLI 0.61.0 does so with this one. The
// tools decode strictly, so they are taken off.
var addedByClients = []string{"wait_for_previous"}

// rawArguments returns the arguments as the client sent them, without what it
// added for itself.
func rawArguments(request mcp.CallToolRequest) (json.RawMessage, error) {
	raw, ok := request.GetRawArguments().(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(request.GetRawArguments()); err != nil {
			return nil, err
		}
	}
	for _, name := range addedByClients {
		var object map[string]json.RawMessage
		if !bytes.Contains(raw, []byte(name)) || json.Unmarshal(raw, &object) != nil {
			continue // what is no object is refused by the tool
		}
		if _, ok := object[name]; ok {
			delete(object, name)
			var err error
			if raw, err = json.Marshal(object); err != nil {
				return nil, err
			}
		}
	}
	return raw, nil
}

// hints translates a tool's effect. The link leads to one peer, which may be
// the real world (network host): open. What is sent cannot be taken back, but
// destroys nothing.
func hints(tool tools.Tool) mcp.ToolAnnotation {
	return mcp.ToolAnnotation{
		Title:           tool.Title,
		ReadOnlyHint:    mcp.ToBoolPtr(tool.Effect == tools.Looks),
		DestructiveHint: mcp.ToBoolPtr(false),
		IdempotentHint:  mcp.ToBoolPtr(tool.Effect == tools.Looks),
		OpenWorldHint:   mcp.ToBoolPtr(tool.Effect != tools.Looks),
	}
}
