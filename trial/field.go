package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A Field is what a scenario stands on: a session with an agent at one end, a
// way to send from the other, and a record of everything in between.
type Field struct {
	Session  *control.Client
	Status   session.Status // as of the start
	Settings score.Settings
	Rand     *rand.Rand // the scenario's own: the same seed sends the same packets

	record   *eventRecord
	progress *report.Progress
	heard    int // events looked at for signs of life
	unheard  int // requests in a row without any
}

// deadline is how long an answer may take.
func (f *Field) deadline() time.Duration { return fromMilliseconds(f.Settings.Deadline) }

func (f *Field) interval() time.Duration { return fromMilliseconds(f.Settings.Interval) }

// answered shows what seems to have come of a request; the judge has the word.
func (f *Field) answered(ok bool) {
	e := score.Exchange{Outcome: score.Lost}
	if ok {
		e.Outcome = score.Right
	}
	f.progress.Add(e)
	// An agent that reads, or calls any tool, may yet answer.
	events := f.record.count()
	if ok || slices.ContainsFunc(f.record.since(f.heard), func(e session.Event) bool {
		return e.Event == session.EventDelivered || e.Event == session.EventCall
	}) {
		f.unheard = 0
	} else {
		f.unheard++
	}
	f.heard = events
}

// patienceRequests is how many requests in a row an agent may leave unread
// before the trial ends: each takes as long as an answer may.
const patienceRequests = 3

var errSilent = fmt.Errorf("the agent has read nothing while %d requests came: it no longer plays", patienceRequests)

// silent returns errSilent once the agent no longer reads.
func (f *Field) silent() error {
	if f.unheard >= patienceRequests {
		return errSilent
	}
	return nil
}

func fromMilliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

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

// quiet waits until the agent has read what there was and all events so far
// have been seen, for as long as an answer may take.
func (f *Field) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.deadline())
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for f.record.gone() == "" {
		status, err := f.Session.Status(ctx)
		if err != nil {
			return
		}
		if status.Counters.Queued == 0 && status.Readers > 0 {
			last := int(status.Counters.Received + status.Counters.Written)
			f.record.until(ctx, func(r *eventRecord) bool { return r.last >= last })
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
