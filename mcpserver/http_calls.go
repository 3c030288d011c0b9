package mcpserver

import (
	"context"
	"sync"
	"time"
)

// overtaken is for how long a cancellation that found no request is kept: over
// HTTP it may overtake the request that it cancels.
const overtaken = 10 * time.Second

// callID is what a cancellation names: the key of a request's id, and the
// session it was sent in. Revision 2026-07-28 has no sessions.
type callID struct{ session, key string }

// openCalls are the requests under way. mcp-go keeps them, too, but those of all
// clients without a session under one name: one's cancellation would end another's
// read.
type openCalls struct {
	ctx context.Context // ends with the server

	mu        sync.Mutex // guards what follows
	count     int
	underWay  map[callID][]*openCall
	cancelled map[callID]time.Time // cancellations that found no request, by when they came
}

type openCall struct{ end context.CancelFunc }

type endKey struct{}

// newOpenCalls returns an empty table, and what ends every call in it and to
// come, with the cause that they are told.
func newOpenCalls() (*openCalls, context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(context.Background())
	return &openCalls{ctx: ctx, underWay: map[callID][]*openCall{}, cancelled: map[callID]time.Time{}}, stop
}

// begin enters a request, and returns a context for it and what ends it, or why
// it cannot be served. The context itself does not end when the call is
// cancelled, or its answer could not be written; until says how the call gets to
// know. Without a session nobody can tell whether two of one id are one client's.
func (c *openCalls) begin(ctx context.Context, id callID) (context.Context, func(), *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id.session != "" && len(c.underWay[id]) > 0 {
		return nil, nil, inUse(id.key)
	}
	if c.count >= mostRequests {
		return nil, nil, tooMany
	}
	ended, end := context.WithCancel(c.ctx)
	call := &openCall{end: end}
	c.count++
	c.underWay[id] = append(c.underWay[id], call)
	if came, ok := c.cancelled[id]; ok {
		delete(c.cancelled, id)
		if time.Since(came) <= overtaken {
			end()
		}
	}
	return context.WithValue(ctx, endKey{}, ended), func() { c.done(id, call) }, nil
}

func (c *openCalls) done(id callID, call *openCall) {
	call.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	var others []*openCall
	for _, other := range c.underWay[id] {
		if other != call {
			others = append(others, other)
		}
	}
	if c.underWay[id] = others; len(others) == 0 {
		delete(c.underWay, id)
	}
}

// cancel ends the request of that id. Without a session, clients that count
// from 1 have the same ids: then it must be the only one. The clients of that
// revision close their connection instead.
func (c *openCalls) cancel(id callID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch calls := c.underWay[id]; {
	case len(calls) == 1:
		calls[0].end()
	case len(calls) == 0 && id.session != "":
		for old, came := range c.cancelled {
			if time.Since(came) > overtaken {
				delete(c.cancelled, old)
			}
		}
		if len(c.cancelled) < mostRequests {
			c.cancelled[id] = time.Now()
		}
	}
}

// leave ends all requests of a session.
func (c *openCalls) leave(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, calls := range c.underWay {
		for _, call := range calls {
			if id.session == session {
				call.end()
			}
		}
	}
}

// until returns a context for a call that ends with ctx, or when the call is
// cancelled, or the server stops.
func until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if ended, ok := ctx.Value(endKey{}).(context.Context); ok { // which is ended when the request is done
		context.AfterFunc(ended, func() { cancel(context.Cause(ended)) })
	}
	return ctx, func() { cancel(nil) }
}
