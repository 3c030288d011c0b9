package traffic

import (
	"fmt"
	"slices"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// patienceRequests is how many requests in a row an agent may leave alone before the
// scenario ends. Each one takes a whole deadline.
const patienceRequests = 3

// Errors that end a scenario early.
var (
	// ErrSilent means that the agent does not read. It may be gone.
	ErrSilent = fmt.Errorf("the agent has stopped reading: it left %d requests in a row unread", patienceRequests)

	// ErrUnanswered means that the agent's handler takes the packets, so the agent does
	// not get them.
	ErrUnanswered = fmt.Errorf("the agent's packet handler took %d requests in a row, and none got a right answer", patienceRequests)
)

// answered shows the preliminary outcome of a request, before it is judged. Its error
// ends the scenario.
func (p *Peer) answered(outcome string) error {
	p.show(outcome)
	return p.listen(outcome != score.Lost)
}

func (p *Peer) show(outcome string) {
	if p.Show != nil {
		p.Show(outcome)
	}
}

// listen is called after each answer or deadline. It returns ErrSilent or
// ErrUnanswered if the last patienceRequests calls found no answer, and the agent neither
// read a packet nor called a tool. A handler that plays alone is never silent.
func (p *Peer) listen(answered bool) error {
	events := p.Events.Since(p.heard)
	p.heard += len(events)
	if answered || slices.ContainsFunc(events, func(e session.Event) bool {
		return e.Event == session.EventDelivered || e.Event == session.EventCall
	}) || p.Alone {
		p.unheard, p.taken = 0, false
		return nil
	}
	p.taken = p.taken || slices.ContainsFunc(events, func(e session.Event) bool {
		return e.Event == session.EventHandler && e.Number > 0 || e.Event == session.EventPacket && e.Handler
	})
	if p.unheard++; p.unheard < patienceRequests {
		return nil
	}
	if p.taken {
		return ErrUnanswered
	}
	return ErrSilent
}
