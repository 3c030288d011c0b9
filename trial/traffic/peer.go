// Package traffic sends real traffic to the agent under test from the peer's end of the
// link, and waits for the answers. It keeps each request with the packets that carried
// it, for the judge.
package traffic

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A Peer sends the traffic of a scenario: pings, programs and crafted packets. It works
// through the control socket of the agent's session.
type Peer struct {
	Session  *control.Client
	Status   session.Status // at the start
	Settings score.Settings
	Rand     *rand.Rand           // for this scenario only: the same seed sends the same packets
	Events   *Events              // of the session
	Show     func(outcome string) // if not nil, called with the preliminary outcome of each request

	// Alone means that a packet handler plays without an agent, so nobody reads.
	Alone bool

	// Done holds the outcomes of requests that an earlier run has judged, by N. They
	// are not sent again.
	Done map[int]string

	// Over, if not nil, is called whenever requests have ended, with all requests of
	// this run so far. The events of their packets are in Events by then.
	Over func([]judge.Request)

	heard   int // number of events checked for signs of life
	unheard int // deadlines in a row without any

	taken bool // during these deadlines a handler took packets
}

// Deadline returns how long an answer may take.
func (p *Peer) Deadline() time.Duration { return fromMilliseconds(p.Settings.Deadline) }

// Interval returns the time between two requests of the scenario load.
func (p *Peer) Interval() time.Duration { return fromMilliseconds(p.Settings.Interval) }

func fromMilliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// PeerAddress returns the peer's IPv4 address, in 4 bytes.
func (p *Peer) PeerAddress() []byte {
	prefix, _ := netip.ParsePrefix(p.Status.Peer) // always valid in a session's status
	return prefix.Addr().AsSlice()
}

// AgentAddress returns the agent's IPv4 address, in 4 bytes.
func (p *Peer) AgentAddress() []byte {
	a, _ := netip.ParseAddr(p.Status.Agent)
	return a.AsSlice()
}

// Random returns n random bytes.
func (p *Peer) Random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.Rand.Uint32())
	}
	return b
}

// recorded waits up to 1 s for the events of all packets that have crossed the link. It
// also waits if ctx has ended.
func (p *Peer) recorded(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if status, err := p.Session.Status(ctx); err == nil {
		p.Events.upTo(ctx, status.Counters)
	}
}

// quiet waits, up to the deadline, until the agent reads again and the queue holds
// nothing that needs an answer, and the events so far are in Events.
func (p *Peer) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.Deadline())
	defer cancel()
	for p.Events.Ended() == "" {
		turns := p.Events.turns()
		status, err := p.Session.Status(ctx)
		if err != nil {
			return
		}
		if p.Alone || status.Idle {
			p.Events.upTo(ctx, status.Counters)
			return
		}
		if !p.Events.nextTurn(ctx, turns) {
			return
		}
	}
}
