package trial

import (
	"fmt"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A loadStep is the requests that were sent at one interval.
type loadStep struct {
	name        string // what theirs have in common
	first, last score.Exchange
	right, sent int
}

// interval is the time from one request to the next in truth: at the shortest
// ones the sender does not keep to what it was asked for. It takes two requests.
func (s loadStep) interval() time.Duration {
	return fromMilliseconds((s.last.At - s.first.At) / float64(s.last.N-s.first.N))
}

// loadSteps sorts the exchanges of load by their intervals.
func loadSteps(exchanges []score.Exchange) []loadStep {
	var steps []loadStep
	for _, e := range exchanges {
		name, _, _ := strings.Cut(e.Name, ",")
		if n := len(steps); n == 0 || steps[n-1].name != name {
			steps = append(steps, loadStep{name: name, first: e})
		}
		s := &steps[len(steps)-1]
		s.last = e
		if s.sent++; e.Outcome == score.Right {
			s.right++
		}
	}
	return steps
}

// fastestRate says at which interval every request of load was still right, and
// what came of those that were sent twice as fast. One request has no rate.
func fastestRate(exchanges []score.Exchange) string {
	var note string
	for i, s := range loadSteps(exchanges) {
		if s.sent < 2 {
			return note
		}
		interval := s.interval()
		switch {
		case s.right == s.sent:
			note = fmt.Sprintf("all right up to one request every %s, %s a second", spaced(interval), perSecond(interval))
		case i == 0:
			return fmt.Sprintf("%d of %d right at one request every %s", s.right, s.sent, spaced(interval))
		default:
			return fmt.Sprintf("%s; %d of %d right at one every %s", note, s.right, s.sent, spaced(interval))
		}
	}
	return note
}

// spaced is an interval with its unit apart.
func spaced(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%.3g ms", score.Milliseconds(d))
}

// perSecond is the rate of one request every d.
func perSecond(d time.Duration) string {
	rate := 1 / d.Seconds()
	if rate < 1000 {
		return fmt.Sprintf("%.3g", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}
