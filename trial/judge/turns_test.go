package judge

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An HTTP exchange has several turns. Its parts are the sums over them, without the closing
// of the connection.
func TestJudgeProgramTurns(t *testing.T) {
	s := newStream()
	s.naming = byFlow
	syn := segmentOf(4, 5000, 80, 2, "")
	s.ask(false, syn.packet()) // 1 ms
	s.read()                   // 2, 3
	s.pass(10 * time.Millisecond)
	s.write(0, answerOf(syn, "").packet()) // 14, 15
	s.arrive(segmentOf(4, 5000, 80, 16, "").packet(), segmentOf(4, 5000, 80, 24, "GET").packet())
	s.read() // 18, 19
	s.pass(20 * time.Millisecond)
	s.write(0, answerOf(syn, "200").packet(), answerOf(syn, "more").packet()) // 40, 41
	s.requests[0].RoundTrip = 50 * time.Millisecond
	s.pass(time.Second)
	s.arrive(segmentOf(4, 5000, 80, 17, "").packet())
	s.read()
	s.write(0, answerOf(syn, "").packet())
	x := Program(s.requests, s.events, time.Second)[0]
	if x.Outcome != score.Right || x.Response != 13+23 || x.Agent != 30 || x.Queue != 2 || x.Tool != 4 || x.Device != 14 || x.Answer != 2 {
		t.Errorf("%+v", x)
	}
}

// If an agent acknowledges a request at once and answers it later, the time between counts
// as the agent's, not as the device's.
func TestJudgeProgramThinksLater(t *testing.T) {
	for naming := range 3 {
		for _, together := range []bool{false, true} { // two packets are read in one call and answered in two
			s := newStream()
			s.naming = naming
			request := segmentOf(4, 5000, 80, 24, "GET")
			s.ask(false, request.packet())
			first, second := 1, 1
			if together {
				second = s.arrive(segmentOf(4, 5000, 80, 24, "more").packet())[0]
			}
			s.read()
			s.pass(time.Second)
			s.write(first, answerOf(request, "").packet())
			s.pass(30 * time.Second)
			s.write(second, answerOf(request, "page").packet())
			s.requests[0].RoundTrip = 31*time.Second + 20*time.Millisecond
			x := Program(s.requests, s.events, time.Minute)[0]
			if x.Outcome != score.Right || x.Agent != 31_000 || x.Device > 20 || x.Response+x.Device != x.RoundTrip || x.Queue+x.Tool+x.Agent != x.Response {
				t.Errorf("naming %d, together %v: %+v", naming, together, x)
			}
		}
	}
}
