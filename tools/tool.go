// Package tools is what the agent can do: read packets, write packets, look at
// one closely. It knows no MCP; mcpserver adapts a Tool to the protocol.
package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Effect says what calling a tool does to the world.
type Effect int

const (
	Looks    Effect = iota // changes nothing: may run beside other calls
	Consumes               // takes packets off the queue: another call gets others
	Sends                  // puts packets on the link
)

// Tool is one thing the agent can do: its words, its arguments, its effect and
// its function.
type Tool struct {
	Name        string
	Title       string
	Description string
	Effect      Effect
	Schema      map[string]any // JSON Schema of the arguments, derived from the struct of Call

	// Call decodes the arguments, a JSON object or nothing, and runs the tool.
	// An error is written for the agent: it says what came, what is accepted
	// and what to do next.
	Call func(ctx context.Context, arguments json.RawMessage) (string, error)
}

// newTool makes a Tool of a function whose argument struct A carries the
// schema in its tags; see fieldsOf. Example is a call to show in errors. Hidden
// are arguments that are not to be had on this server.
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
