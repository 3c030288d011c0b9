package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// fastest is the shortest interval of load.
const fastest = time.Millisecond

// load sends at a fixed interval, without waiting for answers.
func load() Scenario {
	return Scenario{
		Name: "load",
		About: "echo requests at a fixed interval, however slow the answers are; then bursts of twice as many, each twice as fast, " +
			"until an answer is not right or the interval would be under 1 ms",
		RFC:    "RFC 792, echo",
		Expect: "at the fixed interval each is answered once, in time, with every byte right; losses at shorter intervals are only reported",
		Judge:  judge.Echo,
		Run:    runLoad,
		// At the shorter intervals a lost or late answer does not count against the
		// agent. A wrong or duplicate answer does.
		Counts: func(e score.Exchange) bool {
			return !strings.HasPrefix(e.Name, faster) || e.Outcome == score.Wrong
		},
		Note: fastestRate,
	}
}

// faster is the prefix of the names of requests sent faster than the settings say.
const faster = "faster: "

// every follows faster, or begins the name.
const every = "every "

func runLoad(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
	e, err := p.OpenEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	// Each burst lasts as long as the one before, so more requests wait during each
	// call of a slow agent. It keeps up if it answers many in one call. The queue holds
	// a whole burst.
	prefix, count := "", p.Settings.Count
	const most = 1<<16 - 1 // sequence numbers
	for interval := p.Interval(); ; interval /= 2 {
		var failed int
		if failed, err = e.Burst(ctx, count, interval, func(i int) string {
			return fmt.Sprintf("%s%s%v, %d", prefix, every, interval, i+1)
		}); err != nil || failed > 0 || interval/2 < fastest || e.Sent()+2*count > most || 2*count > p.Status.Queue {
			break
		}
		prefix, count = faster, 2*count
	}
	return e.Close(ctx, err)
}

// A loadStep counts the requests sent at one interval.
type loadStep struct {
	name        string // the part that their names share
	last        score.Exchange
	right, sent int
	spent       float64 // ms between requests of one run of the trial
	gaps        int     // how many intervals that was
}

// interval returns the real average time between requests, which can differ from the
// intended one at the shortest intervals. The step must have gaps.
func (s loadStep) interval() time.Duration {
	return time.Duration(s.spent / float64(s.gaps) * float64(time.Millisecond))
}

// loadSteps groups the exchanges of load by interval.
func loadSteps(exchanges []score.Exchange) []loadStep {
	var steps []loadStep
	for _, e := range exchanges {
		name, _, _ := strings.Cut(e.Name, ",")
		if n := len(steps); n == 0 || steps[n-1].name != name {
			steps = append(steps, loadStep{name: name})
		}
		s := &steps[len(steps)-1]
		if s.sent > 0 && s.last.Run == e.Run { // another run has another clock
			s.spent += e.At - s.last.At
			s.gaps += e.N - s.last.N
		}
		s.last = e
		if s.sent++; e.Outcome == score.Right {
			s.right++
		}
	}
	return steps
}

// fastestRate returns a line with the shortest interval at which every answer was
// right, and the result at half of it. It returns "" if no run of the trial sent two
// requests at the first interval, so that there is no rate.
func fastestRate(exchanges []score.Exchange) string {
	var note string
	for i, s := range loadSteps(exchanges) {
		if s.gaps == 0 {
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

// spaced formats an interval, with a space before the unit.
func spaced(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%.3g ms", score.Milliseconds(d))
}

// perSecond formats the rate of one request every d.
func perSecond(d time.Duration) string {
	rate := 1 / d.Seconds()
	if rate < 1000 {
		return fmt.Sprintf("%.3g", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}
