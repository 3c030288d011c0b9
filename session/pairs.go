package session

import (
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// responsesKept is the number of response times kept for the status.
const responsesKept = 1024

// pairs finds the packet that a written packet answers, and keeps response
// times.
type pairs struct {
	latest    map[packet.Flow]int // by flow, the number of the last packet delivered to the agent
	responses []time.Duration     // the last responsesKept, in a ring
	count     int                 // number of all response times
}

func newPairs() pairs { return pairs{latest: make(map[packet.Flow]int)} }

// delivered records a packet that can be answered. It is not called for packets
// still queued, nor for repeats: their answer is for the first copy.
func (x *pairs) delivered(p *Packet) {
	if flow, ok := packet.FlowOf(p.Data); ok {
		x.latest[flow] = p.Number
	}
}

// forget removes a packet that leaves the record.
func (x *pairs) forget(p *Packet) {
	if p.Direction != Read || len(x.latest) == 0 {
		return
	}
	if flow, ok := packet.FlowOf(p.Data); ok && x.latest[flow] == p.Number {
		delete(x.latest, flow)
	}
}

// answered returns the number of the packet that data answers by its flow, or
// 0.
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

// ResponseTimes summarizes how fast packets were answered. It counts the first
// answer to each packet, over the last 1,024.
type ResponseTimes struct {
	Answered int     `json:"answered"`            // all packets answered
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
