package mcpserver

import (
	"context"
	"encoding/json"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/tun-mcp/tun-mcp/tools"
)

// begin registers a request by its key. It returns its context and a function to call
// when it is done, or the reason to refuse it.
func (c *stdioClient) begin(ctx context.Context, key string) (context.Context, func(), *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return nil, nil, &refusal{mcp.INTERNAL_ERROR, "this server is ending: start it again"}
	}
	if _, twice := c.underWay[key]; twice {
		return nil, nil, inUse(key)
	}
	if len(c.underWay) >= maxRequests {
		return nil, nil, tooMany
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c.underWay[key] = cancel
	c.requests.Add(1)
	return ctx, func() {
		defer c.requests.Done()
		cancel(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.underWay, key)
	}, nil
}

// cancel cancels the request with this id. If it is unknown or finished, cancel does
// nothing, since a cancellation may cross the answer.
func (c *stdioClient) cancel(id json.RawMessage) {
	key, why := keyOf(id)
	if why != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.underWay[key]; ok {
		cancel(tools.ErrCancelled)
	}
}

// finished stops accepting requests and waits for those in progress, up to farewell.
func (c *stdioClient) finished() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.requests.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(farewell):
	}
}
