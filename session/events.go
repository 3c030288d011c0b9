package session

import (
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// Kinds of Event.
const (
	EventPacket    = "packet"    // a packet crossed the link
	EventDelivered = "delivered" // a packet was handed to a reader
	EventDropped   = "dropped"   // a packet was dropped from the full queue
	EventRefused   = "refused"   // a packet was not written
	EventCall      = "call"      // a tool call ended
	EventReaders   = "readers"   // a read started or stopped waiting for a packet
	EventHandler   = "handler"   // with a packet: the handler dropped it or failed on it; without: a handler was installed or removed
	EventFailed    = "failed"    // the device did not take a written packet
	EventMissed    = "missed"    // this watcher was too slow and missed events
	EventEnd       = "end"       // the link ended
)

// Event is one line of GET /events. Events are published in order of time.
// Times start at the wall clock's when the session starts and are monotonic
// from there: setting the clock later does not change differences between them.
// A written packet says when its call began, because the call may last long:
// write_packet with then_read ends when the next packet comes.
type Event struct {
	Event     string    `json:"event"`
	Number    int       `json:"number,omitempty"`    // packet number
	Time      time.Time `json:"time,omitzero"`       //
	Direction Direction `json:"direction,omitempty"` // packet
	Hex       string    `json:"hex,omitempty"`       // packet, refused: the bytes
	Summary   string    `json:"summary,omitempty"`   // packet: one line that ends in the checksum verdict
	Faults    []string  `json:"faults,omitempty"`    // packet: what packet.Check finds
	ReplyTo   int       `json:"reply_to,omitempty"`  // written packet: number of the packet it answers
	Response  float64   `json:"response_ms,omitempty"`
	Handler   bool      `json:"handler,omitempty"`  // written packet, refused: by the installed handler, not by a call of the agent
	Injected  bool      `json:"injected,omitempty"` // packet: came from POST /inject
	Missed    int       `json:"missed,omitempty"`   // missed: how many
	Why       string    `json:"why,omitempty"`      // refused, failed, end: the reason; handler: what happened
	Version   int       `json:"version,omitempty"`  // handler: 1 for the first one installed
	Call      int       `json:"call,omitempty"`     // call; delivered, readers, written packet: number of its call; 0 means none
	Began     time.Time `json:"began,omitzero"`     // call, written packet: when the call began. Calls end at Time
	Tool      string    `json:"tool,omitempty"`     // call: the tool's name
	Assist    string    `json:"assist,omitempty"`   // written packet: how much help the agent had with its bytes
	CharsIn   int       `json:"chars_in,omitempty"` // call: characters of the arguments; handler: of the source installed
	CharsOut  int       `json:"chars_out,omitempty"`
	Failed    bool      `json:"is_error,omitempty"` // call: the result was an error
	Readers   int       `json:"readers,omitempty"`  // readers: how many reads wait for a packet now

	packet *Packet       // the packet for Describe
	held   *atomic.Int64 // the watcher's count of held bytes, which includes this event; nil once it no longer does
}

func packetEvent(p *Packet) Event {
	return Event{Event: EventPacket, Number: p.Number, Time: p.Time, Direction: p.Direction,
		ReplyTo: p.ReplyTo, Response: milliseconds(p.Response), Handler: p.Handler, Injected: p.Injected, packet: p}
}

// Describe fills in the fields that take time to compute: a packet's Hex,
// Summary and Faults. The watcher calls it for every event it receives, so that
// the link does not wait for it. A watcher that does not call it counts as
// falling behind.
func (e *Event) Describe() {
	if e.held != nil {
		e.held.Add(-e.weight())
		e.held = nil
	}
	if e.packet == nil {
		return
	}
	e.Hex, e.Summary = hexOf(e.packet.Data), packet.Summary(e.packet.Data)
	for _, fault := range packet.Check(e.packet.Data) {
		e.Faults = append(e.Faults, fault.String())
	}
}

func hexOf(data []byte) string { return hex.EncodeToString(data) }

// Bounds on the events that wait for one watcher.
const (
	watcherBound = 4096     // events
	watcherBytes = 16 << 20 // bytes of packets in those events
)

// watcher receives events. missed is guarded by Session.mu.
type watcher struct {
	events chan Event
	missed int
	held   atomic.Int64 // bytes of packets in waiting events, see Event.Describe
}

// room reports whether e may be queued for the watcher. The last two places are
// reserved for the end event and a missed event before it.
func (w *watcher) room(e *Event) bool {
	return e.Event == EventEnd || len(w.events) < cap(w.events)-2 && w.held.Load()+e.weight() <= watcherBytes
}

// weight returns how many bytes of packets e keeps in memory.
func (e *Event) weight() int64 {
	n := len(e.Hex)
	if e.packet != nil {
		n += len(e.packet.Data)
	}
	return int64(n)
}

// Watch returns a channel of all events from now on and a function that ends
// the watch. A watcher that falls behind loses events, and an event tells it
// how many. The link never waits for a watcher.
//
// Watch also returns the packets from number on that the record still holds, as
// past events. There is neither a gap nor a duplicate between them and the
// channel. If the record has forgotten some of these packets, the first past
// event says how many. With number 0 there are no past events. Past events say
// nothing about calls.
func (s *Session) Watch(number int) (past []Event, events <-chan Event, stop func()) {
	w := &watcher{events: make(chan Event, watcherBound)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if number > 0 {
		past = s.replay(number)
	}
	s.watchers[w] = struct{}{}
	if s.err != nil {
		w.events <- Event{Event: EventEnd, Time: s.steady(time.Now()), Why: s.err.Error()}
	}
	return past, w.events, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// replay returns the recorded packets from number on as events. s.mu is held.
func (s *Session) replay(number int) []Event {
	var past []Event
	if forgotten := s.record.first - number; forgotten > 0 {
		past = append(past, Event{Event: EventMissed, Missed: forgotten, Time: s.steady(s.record.at(s.record.first).packet.Time)})
		number = s.record.first
	}
	for ; number <= s.record.last; number++ {
		e := packetEvent(s.record.at(number).packet)
		e.Time = s.steady(e.Time)
		past = append(past, e)
	}
	return past
}

// PacketEvent returns a recorded packet as a described event, and the number of
// the packet that answered it, or 0. The error says which numbers the record
// still holds.
func (s *Session) PacketEvent(number int) (e Event, answer int, err error) {
	s.mu.Lock()
	found, err := s.record.find(number)
	if err == nil {
		e, answer = packetEvent(found.packet), found.answer
		e.Time = s.steady(e.Time)
	}
	s.mu.Unlock()
	e.Describe()
	return e, answer, err
}

// steady converts t to an event's time: the wall clock's time at the session's
// start plus the monotonic time since.
func (s *Session) steady(t time.Time) time.Time { return s.started.Round(0).Add(t.Sub(s.started)) }

// publish sends an event to every watcher that has room. s.mu is held.
func (s *Session) publish(e Event) {
	if len(s.watchers) == 0 {
		return
	}
	e.Time = s.steady(e.Time)
	if !e.Began.IsZero() {
		e.Began = s.steady(e.Began)
	}
	for w := range s.watchers {
		room := w.room(&e)
		if w.missed > 0 && room {
			w.events <- Event{Event: EventMissed, Missed: w.missed, Time: e.Time}
			w.missed = 0
			room = w.room(&e)
		}
		if !room {
			w.missed++
			continue
		}
		if e.held = nil; e.weight() > 0 {
			w.held.Add(e.weight())
			e.held = &w.held
		}
		w.events <- e
	}
}
