package trial

import (
	"encoding/hex"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// Sum counts the exchanges and events of a scenario. The distributions are of
// the exchanges where a time is known, whatever their outcome.
func Sum(exchanges []Exchange, events []session.Event) (t Tally, roundTrip, response Distribution, parts Parts) {
	t = Tally{Sent: len(exchanges), Faults: make(map[string]int)}
	var roundTrips, responses, queues, tools, agents, devices []float64
	for _, x := range exchanges {
		t.count(x)
		if x.RoundTrip > 0 {
			roundTrips = append(roundTrips, x.RoundTrip)
		}
		if x.Response <= 0 {
			continue
		}
		responses = append(responses, x.Response)
		if x.RoundTrip > 0 {
			devices = append(devices, x.Device)
		}
		if x.Queue > 0 || x.Tool > 0 {
			queues = append(queues, x.Queue)
		}
		if x.Tool > 0 { // then the agent's part is known, too
			tools = append(tools, x.Tool)
			agents = append(agents, x.Agent)
		}
	}
	for _, e := range events {
		t.observe(e)
	}
	t.Rate = Wilson(t.Right, t.Sent)
	parts = Parts{Queue: Distribute(queues), Tool: Distribute(tools), Agent: Distribute(agents), Device: Distribute(devices)}
	return t, Distribute(roundTrips), Distribute(responses), parts
}

// count adds an exchange.
func (t *Tally) count(x Exchange) {
	switch x.Outcome {
	case Right:
		t.Right++
	case Lost:
		t.Lost++
	case Late:
		t.Late++
	default:
		t.Wrong++
	}
	if x.Answer != 0 || x.RoundTrip > 0 {
		t.Answered++
	}
	for _, kind := range x.Faults {
		t.Faults[kind]++
	}
}

// observe adds an event.
func (t *Tally) observe(e session.Event) {
	switch e.Event {
	case session.EventPacket:
		if e.Direction == session.Write {
			t.Writes++
		}
	case session.EventDelivered:
		t.Reads++
	case session.EventRefused:
		t.Refused++
	case session.EventCall:
		t.Calls++
		t.CharsIn += e.CharsIn
		t.CharsOut += e.CharsOut
	}
}

// Ladder returns the first most packets on the link for the ladder diagram.
// Start is when the scenario began.
func Ladder(events []session.Event, start time.Time, most int) []Crossing {
	var ladder []Crossing
	for _, e := range events {
		if len(ladder) >= most {
			break
		}
		if e.Event != session.EventPacket {
			continue
		}
		summary := e.Summary
		data, err := hex.DecodeString(e.Hex)
		if summary == "" && err == nil {
			summary = packet.Summary(data)
		}
		ladder = append(ladder, Crossing{Number: e.Number, At: inMilliseconds(e.Time.Sub(start)),
			Direction: string(e.Direction), Bytes: len(data), Summary: summary, ReplyTo: e.ReplyTo})
	}
	return ladder
}
