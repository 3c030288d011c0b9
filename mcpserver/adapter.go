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

// addTool registers a tool with the server. Results have no structured content,
// because with it a client might not show the text to its model.
func addTool(s *server.MCPServer, tool tools.Tool, calls *calls) error {
	schema, err := json.Marshal(tool.Schema)
	if err != nil {
		return err
	}
	declared := mcp.NewToolWithRawSchema(tool.Name, tool.Description, schema)
	declared.Title = tool.Title
	declared.Annotations = hints(tool)
	// By default Claude Code shows its model only a tool's name, and loading the
	// rest costs a turn. This loads all of it at once.
	declared.Meta = &mcp.Meta{AdditionalFields: map[string]any{"anthropic/alwaysLoad": true}}
	s.AddTool(declared, func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		arguments, err := toolArguments(ctx)
		if err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		if !tool.Swift {
			session.BeforeWait(ctx)
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

// calls numbers tool calls and reports each one after it has ended.
type calls struct {
	last  atomic.Int64 // number of the latest call
	ended func(session.Call)
}

func (c *calls) run(ctx context.Context, tool tools.Tool, arguments json.RawMessage) (result string, err error) {
	call := session.Call{Number: int(c.last.Add(1)), Tool: tool.Name, Began: time.Now(), CharsIn: utf8.RuneCount(arguments)}
	// Deferred, so that a call that panics is reported too, as failed.
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

// addedByClients are arguments that a client adds to every tool. They are removed,
// since the tools reject unknown arguments. Gemini CLI 0.61.0 adds this one.
var addedByClients = []string{"wait_for_previous"}

type argumentsKey struct{}

// withArguments returns a context that carries the arguments of a call past mcp-go,
// which would decode and copy them several times.
func withArguments(ctx context.Context, arguments json.RawMessage) context.Context {
	return context.WithValue(ctx, argumentsKey{}, arguments)
}

// toolArguments returns the arguments as the client sent them, without
// addedByClients.
func toolArguments(ctx context.Context) (json.RawMessage, error) {
	raw, _ := ctx.Value(argumentsKey{}).(json.RawMessage)
	for _, name := range addedByClients {
		var object map[string]json.RawMessage
		if !bytes.Contains(raw, []byte(name)) || json.Unmarshal(raw, &object) != nil {
			continue // not an object: the tool will refuse it
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

// hints translates a tool's effect into MCP's annotations. Tools that use the link
// are open-world, since the peer may be the real network (network host). A sent
// packet cannot be recalled, but it destroys nothing.
func hints(tool tools.Tool) mcp.ToolAnnotation {
	return mcp.ToolAnnotation{
		Title:           tool.Title,
		ReadOnlyHint:    mcp.ToBoolPtr(tool.Effect == tools.Looks),
		DestructiveHint: mcp.ToBoolPtr(false),
		IdempotentHint:  mcp.ToBoolPtr(tool.Effect == tools.Looks),
		OpenWorldHint:   mcp.ToBoolPtr(tool.Effect != tools.Looks),
	}
}
