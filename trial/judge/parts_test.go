package judge

import (
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

func TestJudgeParts(t *testing.T) {
	s := newStream()
	r := echoRequest(4, 7, 1, nil)
	s.ask(false, r.packet()) // arrives at 1 ms
	s.pass(9 * time.Millisecond)
	s.read() // begins at 10, delivers at 11, ends at 12
	s.pass(100 * time.Millisecond)
	s.write(1, echoReply(r).packet()) // begins at 112, writes at 113
	s.requests[0].RoundTrip = 120 * time.Millisecond
	for _, got := range [][]score.Exchange{Echo(s.requests, s.events, 0), Program(s.requests, s.events, 0)} {
		x := got[0]
		if x.Outcome != score.Right || x.RoundTrip != 120 || x.Response != 112 || x.Queue != 10 || x.Tool != 2 || x.Agent != 100 || x.Device != 8 || x.Number != 1 || x.Answer != 2 {
			t.Errorf("%+v", x)
		}
		sum := score.Result{Exchanges: got}
		sum.Sum(s.events)
		tally, roundTrip, response, parts := sum.Tally, sum.RoundTrip, sum.Response, sum.Parts
		if tally.Sent != 1 || tally.Right != 1 || tally.Answered != 1 || tally.Calls != 2 || tally.CharsIn != 20 || tally.CharsOut != 200 ||
			tally.Reads != 1 || tally.Writes != 1 || tally.Rate.Value != 1 || roundTrip.N != 1 || response.Median != 112 || parts.Agent.Max != 100 || parts.Device.Max != 8 {
			t.Errorf("%+v %+v %+v %+v", tally, roundTrip, response, parts)
		}
	}
	ladder := score.Ladder(s.events, 2)
	if len(ladder) != 2 || ladder[1].At != 112 || ladder[1].ReplyTo != 1 || ladder[1].Bytes != 28 || ladder[1].Direction != "write" ||
		!strings.Contains(ladder[1].Summary, "echo reply") || len(score.Ladder(s.events, 1)) != 1 {
		t.Errorf("%+v", ladder)
	}
}

// The judge does not set At, because only the trial knows when the scenario began.
// Computing it from all other requests took seconds for many thousands of them.
func TestJudgeDoesNotSetAt(t *testing.T) {
	s := newStream()
	for i := range uint16(2) {
		s.ask(false, echoRequest(4, 7, i, nil).packet())
		s.pass(time.Second)
	}
	for _, got := range [][]score.Exchange{Echo(s.requests, s.events, 0), Program(s.requests, s.events, 0)} {
		if got[0].At != 0 || got[1].At != 0 {
			t.Errorf("sent at %v and %v ms", got[0].At, got[1].At)
		}
	}
}
