package session

import (
	"encoding/hex"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// Kinds of Event.
const (
	EventPacket    = "packet"    // a packet crossed the link
	EventDelivered = "delivered" // a packet was handed to a reader
	EventDropped   = "dropped"   // a packet fell out of the full queue
	EventRefused   = "refused"   // a packet was not written
	EventCall      = "call"      // a call of a tool has ended
	EventFailed    = "failed"    // a written packet was not taken by the device
	EventMissed    = "missed"    // this watcher was too slow for so many events
	EventEnd       = "end"       // the link has ended
)

// Event is one line of GET /events. Events are published in the order of their
// times, which begin with the wall clock's when the session starts and go on
// steadily: a clock that is set under way changes no difference between two of
// them. A written packet tells when its call began, since the call may go on
// for long: write_packet with then_read ends when the next packet comes.
type Event struct {
	Event     string    `json:"event"`
	Number    int       `json:"number,omitempty"`    // packet number
	Time      time.Time `json:"time,omitzero"`       //
	Direction Direction `json:"direction,omitempty"` // packet
	Hex       string    `json:"hex,omitempty"`       // packet, refused: the bytes
	Summary   string    `json:"summary,omitempty"`   // packet: one line, the checksums' verdict last
	Faults    []string  `json:"faults,omitempty"`    // packet: what packet.Check finds
	ReplyTo   int       `json:"reply_to,omitempty"`  // written packet: the number that it answers
	Response  float64   `json:"response_ms,omitempty"`
	Injected  bool      `json:"injected,omitempty"` // packet: came through POST /inject
	Missed    int       `json:"missed,omitempty"`   // missed: how many
	Why       string    `json:"why,omitempty"`      // refused, failed, end: the reason
	Call      int       `json:"call,omitempty"`     // call; delivered, written packet: number of the call in which it was; 0: in none
	Began     time.Time `json:"began,omitzero"`     // call, written packet: when the call began. A call ended at Time
	Tool      string    `json:"tool,omitempty"`     // call: the tool's name
	Assist    string    `json:"assist,omitempty"`   // written packet: how much help the agent had with its bytes
	CharsIn   int       `json:"chars_in,omitempty"` // call: characters of the arguments
	CharsOut  int       `json:"chars_out,omitempty"`
	Failed    bool      `json:"is_error,omitempty"` // call: the result was an error

	packet *Packet // the packet to describe; see Describe
}

func packetEvent(p *Packet) Event {
	return Event{Event: EventPacket, Number: p.Number, Time: p.Time, Direction: p.Direction,
		ReplyTo: p.ReplyTo, Response: milliseconds(p.Response), Injected: p.Injected, packet: p}
}

// Describe fills in what takes time to work out, of a packet its Hex, Summary and
// Faults: it is the watcher that calls it, off the packet's way.
func (e *Event) Describe() {
	if e.packet == nil {
		return
	}
	e.Hex, e.Summary = hexOf(e.packet.Data), packet.Summary(e.packet.Data)
	for _, fault := range packet.Check(e.packet.Data) {
		e.Faults = append(e.Faults, fault.String())
	}
}

func hexOf(data []byte) string { return hex.EncodeToString(data) }

// watcherBound is how many events may wait for one watcher.
const watcherBound = 4096

// watcher receives events. missed is guarded by Session.mu.
type watcher struct {
	events chan Event
	missed int
}

// Watch returns a channel of all events from now on and a function that ends
// the watch. A watcher that falls behind loses events and is told how many;
// the link never waits for it.
func (s *Session) Watch() (<-chan Event, func()) {
	w := &watcher{events: make(chan Event, watcherBound)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[w] = struct{}{}
	if s.err != nil {
		w.events <- Event{Event: EventEnd, Time: s.steady(time.Now()), Why: s.err.Error()}
	}
	return w.events, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// steady is t as an event has it: the wall clock's time when the session
// started, and what has passed since.
func (s *Session) steady(t time.Time) time.Time { return s.started.Round(0).Add(t.Sub(s.started)) }

// publish gives an event to every watcher that has room. s.mu is held.
func (s *Session) publish(e Event) {
	e.Time = s.steady(e.Time)
	if !e.Began.IsZero() {
		e.Began = s.steady(e.Began)
	}
	for w := range s.watchers {
		// The last two places are kept for the end, and for the word before it
		// that events were missed.
		room := len(w.events) < cap(w.events)-2 || e.Event == EventEnd
		if w.missed > 0 && room {
			w.events <- Event{Event: EventMissed, Missed: w.missed, Time: e.Time}
			w.missed = 0
			room = len(w.events) < cap(w.events)-2 || e.Event == EventEnd
		}
		if !room {
			w.missed++
			continue
		}
		w.events <- e
	}
}
