package judge

import (
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// turn is one step of an exchange: a packet arrives, and the agent reads and answers it.
type turn struct {
	from      time.Time // when the packet arrived, or the turn before ended
	delivered moment    // when the agent got it
	written   crossed   // the answer
}

// addTurn adds the times of a turn to an exchange. The response time is the sum of its
// parts. Parts that cannot be known are not changed.
func addTurn(x *score.Exchange, j *journal, t turn) {
	written := t.written.Event
	response := written.Time.Sub(t.from)
	if response <= 0 {
		return
	}
	x.Response += score.Milliseconds(response)
	queue := t.delivered.at.Sub(t.from)
	if t.delivered.at.IsZero() || queue > response {
		return // written before it was read
	}
	queue = max(queue, 0)
	x.Queue += score.Milliseconds(queue)
	if t.delivered.call == 0 || written.Call == 0 {
		return // not read or not written by a tool call
	}
	// If the client made this call while another was running, there is no time between
	// the two, and all of it belongs to the tools.
	var agent time.Duration
	if ended, ok := j.ended[t.delivered.call]; ok {
		agent = min(max(written.Began.Sub(ended), 0), response-queue)
	}
	x.Agent += score.Milliseconds(agent)
	x.Tool += score.Milliseconds(response - queue - agent)
}

// closeParts sets the device's part to the rest of the round trip.
func closeParts(x *score.Exchange) {
	if x.RoundTrip > 0 && x.Response > 0 {
		x.Device = max(x.RoundTrip-x.Response, 0)
	}
}
