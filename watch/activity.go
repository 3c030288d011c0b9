package watch

import (
	"time"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/session"
)

// States of an agent.
const (
	StateUnknown  = ""         // it has not called a tool yet
	StateReading  = "reading"  // a read waits for a packet
	StateThinking = "thinking" // no call waits: it is the turn of the model or its client
	StateEnded    = "ended"    // the link has ended
)

// Activity tracks what the agent of a session is doing. The zero value has seen no
// events.
type Activity struct {
	State string
	Since time.Time // when State began; zero means before the watch
	Calls int       // ended calls seen

	// Thought is how long the agent thought before the call that ended last. It is 0
	// if that is unknown, or if other calls were running.
	Thought time.Duration

	idle time.Time // when the last call ended
}

// Start resets a to what a status says about the agent.
func (a *Activity) Start(status session.Status) {
	*a = Activity{}
	switch {
	case status.State != "open":
		a.State = StateEnded
	case status.Readers > 0:
		a.State = StateReading
	case !status.LastCall.IsZero():
		a.State, a.Since, a.idle = StateThinking, status.LastCall, status.LastCall
	}
}

// See processes an event.
func (a *Activity) See(e session.Event) {
	switch {
	case e.Event == session.EventEnd:
		a.State, a.Since = StateEnded, e.Time
	case e.Event == session.EventReaders && e.Readers > 0:
		if a.State != StateReading {
			a.State, a.Since = StateReading, e.Time
		}
	case e.Event == session.EventReaders:
		a.State, a.Since = StateThinking, e.Time
	case e.Event == session.EventCall:
		a.Calls++
		a.Thought = 0
		if !a.idle.IsZero() && e.Began.After(a.idle) {
			a.Thought = e.Began.Sub(a.idle)
		}
		a.idle = e.Time
		if a.State != StateReading {
			a.State, a.Since = StateThinking, e.Time
		}
	}
}

// Text returns what the agent is doing at time now, for instance "reading for 1.50 s".
// It returns "" if that is unknown or the link has ended.
func (a *Activity) Text(now time.Time) string {
	if a.State == StateUnknown || a.State == StateEnded {
		return ""
	}
	if a.Since.IsZero() || now.Before(a.Since) {
		return a.State
	}
	return a.State + " for " + ladder.Time(ladder.Milliseconds(now.Sub(a.Since).Round(100*time.Millisecond)))
}
