package traffic

import (
	"context"
	"sync"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
)

// Events records the events of a session, in order, and waits for them.
type Events struct {
	mu      sync.Mutex // guards the fields below
	events  []session.Event
	last    int           // highest packet number seen
	arrived chan struct{} // closed and replaced with each event
	ended   string        // why the session has ended, or ""
	lost    int           // number of missed events
	readers int           // calls of read_packet that are waiting
	told    bool          // readers is known
	taken   int           // how often a read began waiting, stopped waiting or took a packet
}

// Watch starts recording the events of a session until ctx ends. When it returns, no
// later event can be missed for want of a watcher. It fails if another trial runs in
// the session.
func Watch(ctx context.Context, c *control.Client) (*Events, error) {
	r := &Events{arrived: make(chan struct{})}
	ready, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		failed <- c.TrialEvents(ctx, func() { close(ready) }, r.see)
		r.end("the session's server is gone")
	}()
	select {
	case <-ready:
		return r, nil
	case err := <-failed:
		return nil, err
	}
}

// maxEvents bounds the events kept, so that an agent that floods cannot fill the memory.
const maxEvents = 1 << 20

func (r *Events) see(e session.Event) bool {
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
	switch e.Event {
	case session.EventReaders:
		r.readers, r.told = e.Readers, true
		r.taken++
	case session.EventDelivered, session.EventDropped, session.EventMissed:
		r.taken++
	}
	if e.Event == session.EventReaders {
		// Not kept: it is not about a packet, and there may be two for each packet.
	} else if len(r.events) < maxEvents {
		r.events = append(r.events, e)
	} else {
		r.lost++
	}
	close(r.arrived)
	r.arrived = make(chan struct{})
	return e.Event != session.EventEnd
}

func (r *Events) end(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == "" {
		r.ended = why
		close(r.arrived)
		r.arrived = make(chan struct{})
	}
}

// Count returns the number of events so far, which is the index of the next one.
func (r *Events) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// Since returns the events from index on.
func (r *Events) Since(index int) []session.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]session.Event(nil), r.events[index:]...)
}

// Ended returns why the session has ended, or "" if it has not.
func (r *Events) Ended() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// Missed returns how many events are missing from the record, because the watcher was
// too slow or the record is full.
func (r *Events) Missed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// until waits until met returns true, and reports whether it did before ctx or the
// session ended. It calls met with r.mu held.
func (r *Events) until(ctx context.Context, met func(*Events) bool) bool {
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

// upTo waits for the events of all packets in counted.
func (r *Events) upTo(ctx context.Context, counted session.Counters) {
	last := int(counted.Received + counted.Written)
	r.until(ctx, func(r *Events) bool { return r.last >= last })
}

// Reading waits until the agent is waiting in read_packet, and reports whether it was
// before ctx or the session ended. Status must have been fetched after Watch returned.
func (r *Events) Reading(ctx context.Context, status session.Status) bool {
	return r.until(ctx, func(r *Events) bool {
		if !r.told { // no event has given the number yet
			r.readers, r.told = status.Readers, true
		}
		return r.readers > 0
	})
}

// turns returns a count that grows whenever the queue may have become empty and the
// agent may be reading.
func (r *Events) turns() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// nextTurn waits until the count of turns exceeds turns, and reports whether it did
// before ctx or the session ended.
func (r *Events) nextTurn(ctx context.Context, turns int) bool {
	return r.until(ctx, func(r *Events) bool { return r.taken > turns })
}
