package queue

import (
	"context"
	"fmt"
)

// KeepHandler stores the program of an agent on the server, once for all its
// cells. The agent is a handler.
func (c *Campaign) KeepHandler(ctx context.Context, agent, source string) error {
	if _, err := c.kept.PutString(ctx, "handler."+agent, source); err != nil {
		return fmt.Errorf("storing the handler of %s: %w", agent, err)
	}
	return nil
}

// HandlerSource returns the program of the cell's agent, which is a handler.
func (t *Task) HandlerSource(ctx context.Context) ([]byte, error) {
	entry, err := t.c.kept.Get(ctx, "handler."+t.Agent)
	if err != nil {
		return nil, fmt.Errorf("asking for the handler of %s: %w", t.Agent, err)
	}
	return entry.Value(), nil
}
