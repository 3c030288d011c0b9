package trial

import (
	"context"
	"sync"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
)

// eventRecord collects the events of a session.
type eventRecord struct {
	mu      sync.Mutex
	events  []session.Event
	last    int           // highest packet number seen
	arrived chan struct{} // closed and replaced with each event
	ended   string        // why the session has ended
	lost    int           // events that were missed
}

// watch starts recording a session until ctx ends, and returns once nothing
// can be missed any more.
func watch(ctx context.Context, c *control.Client) (*eventRecord, error) {
	r := &eventRecord{arrived: make(chan struct{})}
	ready, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		failed <- c.Events(ctx, func() { close(ready) }, r.see)
		r.end("the session's server is gone")
	}()
	select {
	case <-ready:
		return r, nil
	case err := <-failed:
		return nil, err
	}
}

// mostEvents bounds the record: an agent that floods must not fill the memory.
const mostEvents = 1 << 20

func (r *eventRecord) see(e session.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Event {
	case session.EventMissed:
		r.lost += e.Missed
	case session.EventEnd:
		r.ended = e.Why
	case session.EventPacket:
		r.last = e.Number
	}
	if len(r.events) < mostEvents {
		r.events = append(r.events, e)
	} else {
		r.lost++
	}
	close(r.arrived)
	r.arrived = make(chan struct{})
	return e.Event != session.EventEnd
}

func (r *eventRecord) end(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == "" {
		r.ended = why
		close(r.arrived)
		r.arrived = make(chan struct{})
	}
}

// count returns how many events there are: where the next window begins.
func (r *eventRecord) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// since returns the events from index on.
func (r *eventRecord) since(index int) []session.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]session.Event(nil), r.events[index:]...)
}

// gone says why the session has ended, "" while it has not.
func (r *eventRecord) gone() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// missed returns how many events this watcher was too slow for.
func (r *eventRecord) missed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// until waits for an event that makes met true; false if ctx or the session
// ended first. Met is called with the record locked.
func (r *eventRecord) until(ctx context.Context, met func(*eventRecord) bool) bool {
	for {
		r.mu.Lock()
		ok, ended, arrived := met(r), r.ended != "", r.arrived
		r.mu.Unlock()
		if ok || ended {
			return ok
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return false
		}
	}
}

// upTo waits for the events of all packets that were counted.
func (r *eventRecord) upTo(ctx context.Context, counted session.Counters) {
	last := int(counted.Received + counted.Written)
	r.until(ctx, func(r *eventRecord) bool { return r.last >= last })
}
