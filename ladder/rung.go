package ladder

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// Kinds of Rung.
const (
	KindPacket  = "packet"  // a packet on the link
	KindCall    = "call"    // a tool call by the agent
	KindRefused = "refused" // a packet that was not written
	KindNote    = "note"    // a handler was installed, events were missed, the link has ended
)

// Rung is one line of a ladder. Its texts are printable, but may contain markup: a page must
// escape them.
type Rung struct {
	Kind    string  `json:"kind"`
	Number  int     `json:"number,omitempty"`   // packet
	ToAgent bool    `json:"to_agent,omitempty"` // packet: from the peer to the agent
	At      float64 `json:"at"`                 // milliseconds since the ladder's start
	Text    string  `json:"text,omitempty"`     // packet: its summary; refused, note: the reason
	Bytes   int     `json:"bytes,omitempty"`    // packet, refused: length
	Faulty  bool    `json:"faulty,omitempty"`   // packet: packet.Check finds a fault in it

	ReplyTo  int     `json:"reply_to,omitempty"` // packet: the number that it answers
	Response float64 `json:"response,omitempty"` // packet: milliseconds since that packet's arrival
	Handler  bool    `json:"handler,omitempty"`  // packet: written by the installed handler
	Injected bool    `json:"injected,omitempty"` // packet: did not come from the peer's stack
	Lost     string  `json:"lost,omitempty"`     // packet: the queue dropped it, or the device refused it

	Tool    string  `json:"tool,omitempty"`    // call: its name
	Thought float64 `json:"thought,omitempty"` // call: milliseconds before it, 0 if unknown
	Took    float64 `json:"took,omitempty"`    // call: milliseconds
	Failed  bool    `json:"failed,omitempty"`  // call: the result was an error
	Silence string  `json:"silence,omitempty"` // time since the packet before, if that is long
}

// Of returns the rung of an event, in a ladder that began at start. It returns false for
// events without a rung.
func Of(e session.Event, start time.Time) (Rung, bool) {
	r := Rung{At: Milliseconds(e.Time.Sub(start))}
	switch e.Event {
	case session.EventPacket:
		r.Kind, r.Number, r.ToAgent, r.Text = KindPacket, e.Number, e.Direction != session.Write, e.Summary
		r.Bytes, r.Faulty, r.Injected = hex.DecodedLen(len(e.Hex)), len(e.Faults) > 0, e.Injected
		r.ReplyTo, r.Response, r.Handler = e.ReplyTo, e.Response, e.Handler
	case session.EventCall:
		r.Kind, r.Tool, r.Took, r.Failed = KindCall, e.Tool, Milliseconds(e.Time.Sub(e.Began)), e.Failed
	case session.EventRefused:
		r.Kind, r.Text, r.Bytes, r.ReplyTo = KindRefused, e.Why, hex.DecodedLen(len(e.Hex)), e.ReplyTo
	case session.EventMissed:
		r.Kind, r.Text = KindNote, Count(e.Missed)+" events were missed here"
	case session.EventHandler:
		if e.Number > 0 { // about a packet, which has a rung already
			return r, false
		}
		r.Kind, r.Text = KindNote, fmt.Sprintf("handler %d: %s", e.Version, e.Why)
	case session.EventEnd:
		r.Kind, r.Text = KindNote, "the link has ended: "+e.Why
	default:
		return r, false
	}
	return r, true
}

// Milliseconds returns d in milliseconds, the unit of durations in ladders.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Answers returns which packet the rung answers, and how long after its arrival, or "" if it
// answers none.
func (r Rung) Answers() string {
	switch {
	case r.ReplyTo == 0 || r.Kind != KindPacket:
		return ""
	case r.Response <= 0:
		return fmt.Sprintf("answers #%d", r.ReplyTo)
	}
	return fmt.Sprintf("answers #%d after %s", r.ReplyTo, Time(r.Response))
}

// longSilence is the shortest time between two packets that a ladder can mark as a silence, in
// milliseconds.
const longSilence = 1000

// MarkSilences sets Silence of packets that came at least a second, and at least three times
// the ladder's median, after the packet before.
func MarkSilences(rungs []Rung) {
	last := -1
	gaps := make([]float64, len(rungs))
	var known []float64
	for i, r := range rungs {
		if r.Kind != KindPacket {
			continue
		}
		if last >= 0 {
			gaps[i] = r.At - rungs[last].At
			known = append(known, gaps[i])
		}
		last = i
	}
	long := max(3*median(known), longSilence)
	for i, gap := range gaps {
		if gap >= long {
			rungs[i].Silence = Time(gap)
		}
	}
}
