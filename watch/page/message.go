package page

import (
	"github.com/tun-mcp/tun-mcp/control"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/watch"
)

// message has the changes since the previous message to a page.
type message struct {
	Reset  bool         `json:"reset,omitempty"` // the page must discard its rows and plot
	Rows   []rowMessage `json:"rows,omitempty"`  // new or changed, in order
	Oldest int          `json:"oldest"`          // id of the oldest row still kept
	Plot   *plotMessage `json:"plot,omitempty"`
	State  state        `json:"state"`
}

// rowMessage is a row of the ladder.
type rowMessage struct {
	ID int `json:"id"`
	ladder.Row
	Number  int     `json:"number,omitempty"`
	ReplyTo int     `json:"reply_to,omitempty"`
	Thought float64 `json:"thought,omitempty"` // milliseconds
	Took    float64 `json:"took,omitempty"`    // milliseconds; of a call
}

// state is what a page shows besides the ladder.
type state struct {
	Session   string                `json:"session"`
	Network   string                `json:"network"`
	Peer      string                `json:"peer"`
	Agent     string                `json:"agent"`
	Link      string                `json:"link"`
	Now       float64               `json:"now"`               // milliseconds since the session's start
	Doing     string                `json:"doing"`             // watch.State…
	Since     float64               `json:"since"`             // milliseconds that it has been doing so; -1 means unknown
	Seen      int                   `json:"seen"`              // highest packet number
	Missed    int                   `json:"missed,omitempty"`  // events that this watch was too slow for
	Ended     string                `json:"ended,omitempty"`   //
	Silent    string                `json:"silent,omitempty"`  // set if the server does not answer; says what that may mean
	Unsent    string                `json:"unsent,omitempty"`  // why the last ping was not sent
	Readers   int                   `json:"readers,omitempty"` //
	Counters  session.Counters      `json:"counters"`
	Responses session.ResponseTimes `json:"responses"`
	Meter     meter                 `json:"meter"`
}

// since returns the changes after a version of the hub, and the current version, or
// false if there are none. Version 0 returns everything.
func (h *hub) since(version int, now time.Time) (m message, newest int, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if version == h.version {
		return m, version, false
	}
	m.Reset = version == 0
	for _, e := range h.rungs {
		if e.version > version {
			m.Rows = append(m.Rows, h.row(e))
		}
	}
	if len(h.rungs) > 0 {
		m.Oldest = h.rungs[0].id
	}
	m.Plot = h.plot.since(version)
	m.State = state{
		Session: h.client.Name, Network: h.status.Network, Peer: h.status.Peer, Agent: h.status.Agent, Link: h.status.Link,
		Now: ladder.Milliseconds(now.Sub(h.start)), Doing: h.activity.State, Since: -1, Seen: h.seen, Missed: h.missed,
		Ended: h.ended, Unsent: h.unsent, Counters: h.status.Counters, Responses: h.status.Responses, Meter: h.meter,
	}
	if h.silent {
		m.State.Silent = control.ErrSilent.Error()
	}
	if !h.activity.Since.IsZero() {
		m.State.Since = max(0, ladder.Milliseconds(now.Sub(h.activity.Since)))
	}
	return m, h.version, true
}

// row formats an entry for the page. A packet's text omits the addresses, which are
// at the ends of the ladder. The time is the time of day.
func (h *hub) row(e entry) rowMessage {
	rung := e.rung
	if rung.Kind == ladder.KindPacket { // the addresses are at the ends of the ladder
		rung.Text = strings.TrimSuffix(watch.EndsOf(h.status).Without(rung.Text), ", checksums ok")
	}
	row := rowMessage{ID: e.id, Row: rung.Row(), Number: e.rung.Number, ReplyTo: e.rung.ReplyTo, Thought: e.rung.Thought, Took: e.rung.Took}
	row.Time = e.event.Time.Local().Format("15:04:05.000")
	return row
}
