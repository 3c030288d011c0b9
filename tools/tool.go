// Package tools holds the agent's tools: read packets, write packets, look at one
// closely, install a handler. Each takes its arguments as JSON and returns text
// for the agent. This package knows nothing of MCP; mcpserver adapts a Tool to it.
package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Effect is what a call of a tool changes.
type Effect int

const (
	Looks    Effect = iota // nothing: the call may run in parallel with others
	Consumes               // it takes packets off the queue
	Sends                  // it sends packets
)

// Tool is one tool of the agent: its texts, its arguments, its effect and its
// function.
type Tool struct {
	Name        string
	Title       string
	Description string
	Effect      Effect
	Schema      map[string]any // JSON Schema of the arguments, derived from the struct of Call
	Swift       bool           // before it waits or does what takes long, it calls session.BeforeWait

	// Call decodes the arguments and runs the tool. The arguments are a JSON
	// object; empty or null means {}. Errors are written for the agent: they
	// say what came, what is accepted and what to do next.
	Call func(ctx context.Context, arguments json.RawMessage) (string, error)
}

// newTool makes a Tool from call. The tags of A declare its arguments (see
// field). Errors show the example. Arguments named in hidden are left out of the
// schema and not accepted.
func newTool[A any](name, title, description, example string, effect Effect, call func(context.Context, A) (string, error), hidden ...string) Tool {
	fields := fieldsOf(reflect.TypeFor[A](), hidden...)
	return Tool{
		Name:        name,
		Title:       title,
		Description: description + "\nExample: " + example,
		Effect:      effect,
		Schema:      fields.schema(),
		Call: func(ctx context.Context, raw json.RawMessage) (string, error) {
			var arguments A
			if err := fields.decode(raw, reflect.ValueOf(&arguments).Elem()); err != nil {
				return "", fmt.Errorf("%s: %w. Example: %s", name, err, example)
			}
			return call(ctx, arguments)
		},
	}
}
