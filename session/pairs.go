package session

import (
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// responsesKept bounds the response times that the status is computed from.
const responsesKept = 1024

// pairs finds the packet that a written one answers, and keeps response times.
type pairs struct {
	latest    map[packet.Flow]int // by flow, the number of the last packet that the agent was given
	responses []time.Duration     // the last responsesKept, in a ring
	count     int                 // of all response times
}

func newPairs() pairs { return pairs{latest: make(map[packet.Flow]int)} }

// delivered notes a packet that could be answered: not one that still waits, and
// not a repetition, whose first copy is what the answer is for.
func (x *pairs) delivered(p *Packet) {
	if flow, ok := packet.FlowOf(p.Data); ok {
		x.latest[flow] = p.Number
	}
}

// forget lets go of a packet that leaves the record.
func (x *pairs) forget(p *Packet) {
	if p.Direction != Read {
		return
	}
	if flow, ok := packet.FlowOf(p.Data); ok && x.latest[flow] == p.Number {
		delete(x.latest, flow)
	}
}

// answered returns the number of the packet that data answers by its flow, 0
// if there is none.
func (x *pairs) answered(data []byte) int {
	if flow, ok := packet.AnswersTo(data); ok {
		return x.latest[flow]
	}
	return 0
}

func (x *pairs) responded(after time.Duration) {
	if len(x.responses) < responsesKept {
		x.responses = append(x.responses, after)
	} else {
		x.responses[x.count%responsesKept] = after
	}
	x.count++
}

// ResponseTimes sums up how fast packets were answered: the first answer to
// each, over the last 1,024.
type ResponseTimes struct {
	Answered int     `json:"answered"`            // packets answered, all
	Min      float64 `json:"min_ms,omitempty"`    // milliseconds
	Median   float64 `json:"median_ms,omitempty"` // milliseconds
	Max      float64 `json:"max_ms,omitempty"`    // milliseconds
}

func (x *pairs) sum() ResponseTimes {
	r := ResponseTimes{Answered: x.count}
	if n := len(x.responses); n > 0 {
		sorted := slices.Sorted(slices.Values(x.responses))
		r.Min, r.Median, r.Max = milliseconds(sorted[0]), milliseconds(sorted[(n-1)/2]), milliseconds(sorted[n-1])
	}
	return r
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
