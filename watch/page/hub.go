package page

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/watch"
)

// keptRungs is how many rungs a hub keeps and a page shows.
const keptRungs = 400

// keptBytes is the largest packet, in hex digits, whose bytes a hub keeps with its
// rung. The session's record has the others.
const keptBytes = 2 * 2048

// hub follows one session for all pages that show it. Its memory is bounded: it keeps
// only the latest rungs and the slices of the plot.
type hub struct {
	client *control.Client
	epoch  string    // identifies this hub among those of the same session
	start  time.Time // when the session started; times of rungs are relative to it
	stop   context.CancelFunc
	pinger pinger

	mu       sync.Mutex  // guards everything below
	version  int         // counts changes
	rungs    []entry     // oldest first
	last     int         // id of the newest rung
	shown    map[int]int // id of the rung, by packet number
	seen     int         // highest packet number
	packets  budget
	calls    budget
	troubles budget
	meter    meter
	plot     plot
	activity watch.Activity
	status   session.Status
	missed   int    // events that this watch was too slow for
	silent   bool   // the session's server does not answer
	ended    string // why the session ended, or ""
	unsent   string // why the last ping was not sent, or ""
	pages    int    // that show this session now
}

// entry is a rung as a hub keeps it.
type entry struct {
	id, version int
	rung        ladder.Rung
	event       session.Event // without the bytes of large packets
	answer      int           // number of the packet that answered it, or 0
}

// newHub starts to follow a session, from the start of its record.
func newHub(ctx context.Context, client *control.Client) (*hub, error) {
	status, err := client.Status(ctx)
	if err != nil {
		client.Close()
		return nil, err
	}
	following, stop := context.WithCancel(ctx)
	h := &hub{client: client, epoch: rand.Text(), start: status.Started, stop: stop, version: 1, status: status, shown: make(map[int]int),
		packets: newBudget(packetRate, packetBurst), calls: newBudget(callRate, callBurst), troubles: newBudget(troubleRate, troubleBurst)}
	h.pinger.client, h.pinger.unsent = client, h.noteUnsent
	h.activity.Start(status)
	if status.State != "open" {
		h.ended = status.State
	}
	go h.follow(following)
	go h.ask(following)
	return h, nil
}

// follow processes events until the session ends or the hub is stopped.
func (h *hub) follow(ctx context.Context) {
	defer h.pinger.close()
	err := h.client.EventsSince(ctx, 1, nil, func(e session.Event) bool {
		h.see(e)
		return e.Event != session.EventEnd
	})
	h.mu.Lock()
	ended := h.ended
	h.mu.Unlock()
	if ended == "" && ctx.Err() == nil {
		why := "its server is gone"
		if err != nil {
			why = err.Error()
		}
		h.see(session.Event{Event: session.EventEnd, Time: time.Now(), Why: why})
	}
}

// statusEvery is how often the hub asks the session for its status while a page shows
// it.
const statusEvery = 500 * time.Millisecond

// ask keeps the status up to date until the hub is stopped.
func (h *hub) ask(ctx context.Context) {
	defer h.client.Close()
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		wanted := h.pages > 0 && h.ended == ""
		if h.meter.turn(time.Now()) {
			h.version++
		}
		h.mu.Unlock()
		if !wanted {
			continue
		}
		status, err := h.client.StatusSoon(ctx)
		h.mu.Lock()
		if silent := errors.Is(err, control.ErrSilent); silent != h.silent {
			h.silent = silent
			h.version++
		}
		if err != nil { // the events report the session's end
			h.mu.Unlock()
			continue
		}
		if status.Counters != h.status.Counters || status.Link != h.status.Link {
			h.version++
		}
		h.status = status
		h.mu.Unlock()
	}
}

// see processes one event.
func (h *hub) see(e session.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version++
	h.activity.See(e)
	now := e.Time
	switch e.Event {
	case session.EventPacket:
		h.packet(e, now)
		return
	case session.EventDropped:
		h.mark(e.Number, "dropped: the queue was full")
		return
	case session.EventHandler:
		if e.Number > 0 {
			h.mark(e.Number, fmt.Sprintf("handler %d: %s", e.Version, e.Why))
			return
		}
		if !h.troubles.take(now) {
			return
		}
	case session.EventFailed:
		h.mark(e.Number, "lost, the link did not take it: "+e.Why)
		return
	case session.EventCall:
		if !h.calls.take(now) {
			return
		}
	case session.EventMissed:
		if h.seen == 0 { // packets that the record forgot before this watch
			return
		}
		h.missed += e.Missed
		if !h.troubles.take(now) {
			return
		}
	case session.EventRefused:
		if !h.troubles.take(now) {
			return
		}
	case session.EventEnd:
		h.ended = e.Why
	}
	rung, ok := ladder.Of(e, h.start)
	if !ok {
		return
	}
	if e.Event == session.EventCall {
		rung.Thought = ladder.Milliseconds(h.activity.Thought)
	}
	h.add(rung, e)
}

// packet processes a packet event. An answer is shown only together with its request,
// so that a sampled ladder shows complete exchanges.
func (h *hub) packet(e session.Event, now time.Time) {
	passed := 1 // includes missed packets
	if h.seen > 0 {
		passed = max(1, e.Number-h.seen)
	}
	h.seen = max(h.seen, e.Number)
	if e.Direction == session.Write && e.ReplyTo > 0 {
		series := byAgent
		if e.Handler {
			series = byHandler
		}
		h.plot.add(ladder.Milliseconds(e.Time.Sub(h.start)), e.Response, series, h.version)
	}
	asked, known := h.shown[e.ReplyTo]
	show := h.packets.take(now)
	switch {
	case e.ReplyTo > 0 && known:
		show = true
	case e.ReplyTo > 0 && h.sampling():
		show = false
	}
	if !show && len(e.Faults) > 0 {
		show = h.troubles.take(now)
	}
	h.meter.count(now, passed, show)
	if !show {
		return
	}
	if asked := h.entry(asked); known && asked != nil && asked.answer == 0 {
		asked.answer, asked.version = e.Number, h.version
	}
	rung, _ := ladder.Of(e, h.start)
	h.add(rung, e)
}

// sampling reports whether the ladder is leaving out packets.
func (h *hub) sampling() bool { return h.packets.left < 1 || h.meter.Shown < h.meter.Rate }

// mark notes on a packet's rung, if there is one, how the packet was lost.
func (h *hub) mark(number int, lost string) {
	if e := h.entry(h.shown[number]); e != nil {
		e.rung.Lost, e.version = lost, h.version
	}
}

// entry returns the entry of an id, or nil if there is none.
func (h *hub) entry(id int) *entry {
	if len(h.rungs) == 0 || id < h.rungs[0].id || id > h.last {
		return nil
	}
	return &h.rungs[id-h.rungs[0].id]
}

// add adds a rung to the ladder, and removes the oldest if there are too many.
func (h *hub) add(rung ladder.Rung, e session.Event) {
	h.last++
	if len(e.Hex) > keptBytes && e.Event == session.EventPacket {
		e.Hex = ""
	}
	if len(h.rungs) == keptRungs {
		delete(h.shown, h.rungs[0].rung.Number)
		h.rungs[0] = entry{} // release its memory
		h.rungs = h.rungs[1:]
	}
	h.rungs = append(h.rungs, entry{id: h.last, version: h.version, rung: rung, event: e})
	if rung.Kind == ladder.KindPacket {
		h.shown[rung.Number] = h.last
	}
}

// noteUnsent notes why the last ping was not sent, or "" if it was.
func (h *hub) noteUnsent(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if why != h.unsent {
		h.unsent = why
		h.version++
	}
}

// join adds one to the pages that show this session; leave subtracts one.
func (h *hub) join() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages++
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages--
}
