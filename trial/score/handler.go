package score

import (
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
)

// Handler counts what packet handlers did in a trial.
type Handler struct {
	Versions int     `json:"versions"` // number of handlers installed
	Chars    int     `json:"chars"`    // length of the last one's source, in characters
	First    float64 `json:"first_ms"` // from the agent's first read to the first handler, in ms; 0 if the trial began with one
	Answered int     `json:"answered"` // packets that a handler answered
	Dropped  int     `json:"dropped"`  // packets that a handler dropped
	Failed   int     `json:"failed"`   // packets on which a handler failed, which the agent then got
	Writes   int     `json:"writes"`   // packets that handlers wrote, including retransmissions
}

// HandlerIn returns what handlers did in a session, or nil if there was none. Start is the
// handler installed at began, when the agent was ready; nil means none.
func HandlerIn(events []session.Event, start *session.HandlerStatus, began time.Time) *Handler {
	var h Handler
	if start != nil && start.Installed {
		h.Versions, h.Chars = start.Version, start.Chars
	}
	answered := make(map[int]bool)
	for _, e := range events {
		switch {
		case e.Event == session.EventPacket && e.Direction == session.Write && e.Handler:
			h.Writes++
			if e.ReplyTo != 0 {
				answered[e.ReplyTo] = true
			}
		case e.Event != session.EventHandler:
		case e.Why == "installed" && e.Version > h.Versions:
			if h.Versions == 0 {
				h.First = max(Milliseconds(e.Time.Sub(began)), 0.001) // 0 means something else
			}
			h.Versions, h.Chars = e.Version, e.CharsIn
		case e.Number != 0 && e.Why == "dropped":
			h.Dropped++
		case e.Number != 0 && strings.HasPrefix(e.Why, "failed"):
			h.Failed++
		}
	}
	h.Answered = len(answered)
	if h.Versions == 0 {
		return nil
	}
	return &h
}

// AddHandler adds what handlers did in another session. First stays that of the first
// session with a handler. A handler with which sessions began counts as one version,
// however many sessions did.
func (r *Report) AddHandler(h *Handler) {
	switch {
	case h == nil:
		return
	case r.Handler == nil:
		sum := *h
		r.Handler = &sum
		return
	}
	sum := r.Handler
	sum.Versions += h.Versions
	if h.First == 0 {
		sum.Versions--
	}
	sum.Chars = h.Chars
	sum.Answered += h.Answered
	sum.Dropped += h.Dropped
	sum.Failed += h.Failed
	sum.Writes += h.Writes
}
