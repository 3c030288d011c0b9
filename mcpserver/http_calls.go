package mcpserver

import (
	"context"
	"maps"
	"sync"
	"time"
)

// overtaken is how long a cancellation without a request is kept. Over HTTP it may
// arrive before the request that it cancels.
const overtaken = 10 * time.Second

// maxLate is the most cancellations kept for each session.
const maxLate = 16

// callID identifies the request that a cancellation means: by its session and the
// key of its id. In revision 2026-07-28 there are no sessions, and a client cancels
// a call only by closing the connection.
type callID struct{ session, key string }

// openCalls are the requests in progress. mcp-go tracks them too, but it treats all
// clients without a session as one, so one client could cancel another's read.
type openCalls struct {
	ctx context.Context // ends with the server

	mu        sync.Mutex // guards all below
	count     int
	underWay  map[callID][]*openCall
	cancelled map[callID]time.Time // cancellations without a request, with their time of arrival
}

type openCall struct{ end context.CancelFunc }

type endKey struct{}

// newOpenCalls returns an empty table and a function that ends all calls in it, now
// and later, with a cause.
func newOpenCalls() (*openCalls, context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(context.Background())
	return &openCalls{ctx: ctx, underWay: map[callID][]*openCall{}, cancelled: map[callID]time.Time{}}, stop
}

// begin enters a request and returns its context and a function to call when it is
// done, or the reason to refuse it. The context does not end on a cancellation, since
// then the answer could not be written; use until for that. Without a session, two
// requests may have the same id, since they may come from different clients.
func (c *openCalls) begin(ctx context.Context, id callID) (context.Context, func(), *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id.session != "" && len(c.underWay[id]) > 0 {
		return nil, nil, inUse(id.key)
	}
	if c.count >= maxRequests {
		return nil, nil, tooMany
	}
	ended, end := context.WithCancel(c.ctx)
	call := &openCall{end: end}
	c.count++
	c.underWay[id] = append(c.underWay[id], call)
	if _, ok := c.cancelled[id]; ok {
		delete(c.cancelled, id)
		end()
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

// cancel ends the request with this id. If there is none yet, it keeps the
// cancellation for a while, in case the request arrives late.
func (c *openCalls) cancel(id callID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if calls := c.underWay[id]; len(calls) > 0 {
		calls[0].end() // an id is unique in its session
		return
	}
	late := 0
	for other := range c.cancelled {
		if other.session == id.session { // each session has its own limit
			late++
		}
	}
	if late >= maxLate {
		return
	}
	came := time.Now()
	c.cancelled[id] = came
	time.AfterFunc(overtaken, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.cancelled[id].Equal(came) {
			delete(c.cancelled, id)
		}
	})
}

// leave cancels all requests of a session.
func (c *openCalls) leave(session string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.cancelled, func(id callID, _ time.Time) bool { return id.session == session })
	for id, calls := range c.underWay {
		for _, call := range calls {
			if id.session == session {
				call.end()
			}
		}
	}
}

// until returns a context that ends when ctx ends, the call is cancelled, or the
// server stops.
func until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if ended, ok := ctx.Value(endKey{}).(context.Context); ok { // ends when the request is done
		context.AfterFunc(ended, func() { cancel(context.Cause(ended)) })
	}
	return ctx, func() { cancel(nil) }
}
