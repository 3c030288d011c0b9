package judge

import (
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// turn is one step of an exchange: a packet waited for, read, and answered.
type turn struct {
	from      time.Time // when the packet arrived, or the turn before had ended
	delivered moment    // when it was handed to the agent
	written   crossed   // what answered it
}

// addTurn adds the parts of a turn to an exchange. The response is their sum.
// A part that cannot be known stays as it is.
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
		return // read or written by something that is no tool
	}
	// A client may call while another call still runs: then there is nothing
	// between the two, and all of it is the tools'.
	var agent time.Duration
	if ended, ok := j.ended[t.delivered.call]; ok {
		agent = min(max(written.Began.Sub(ended), 0), response-queue)
	}
	x.Agent += score.Milliseconds(agent)
	x.Tool += score.Milliseconds(response - queue - agent)
}

// closeParts takes what the agent's side did not need for the device's part.
func closeParts(x *score.Exchange) {
	if x.RoundTrip > 0 && x.Response > 0 {
		x.Device = max(x.RoundTrip-x.Response, 0)
	}
}
