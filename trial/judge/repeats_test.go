package judge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A datagram gets one answer, even if further ones say something else.
func TestJudgeProgramFurtherAnswers(t *testing.T) {
	asked := datagramOf(4, 5000, 7, "data")
	right := answerOf(asked, "data").packet()
	for name, further := range map[string]spelled{"other data": answerOf(asked, "garbage"), "port unreachable": unreachableFor(asked, 3, 3)} {
		for naming := range 3 {
			for copies, want := range map[int]string{1: score.FaultDuplicate, 2: ""} {
				s := newStream()
				s.naming = naming
				s.ask(false, slices.Repeat([][]byte{asked.packet()}, copies)...)
				s.requests[0].RoundTrip = time.Millisecond
				s.read()
				s.write(1, right, further.packet())
				t.Run(fmt.Sprintf("%s/naming%d/%d", name, naming, copies), func(t *testing.T) {
					wantExchanges(t, Program(s.requests, s.events, time.Second), want)
				})
			}
		}
	}
}

// Each datagram may be answered once, and once more for each duplicate of it. TCP segments
// may be retransmitted.
func TestJudgeProgramRepeats(t *testing.T) {
	datagram := datagramOf(4, 5000, 7, "data")
	echoed := answerOf(datagram, "data")
	fragmented := answerOf(datagram, "long enough for three")
	fragmented.size = 16
	for _, test := range []struct {
		name   string
		asked  spelled
		copies int
		answer spelled
		times  int
		want   string
	}{
		{"once", datagram, 1, echoed, 1, ""},
		{"twice", datagram, 1, echoed, 2, score.FaultDuplicate},
		{"often", datagram, 1, echoed, 500, score.FaultDuplicate},
		{"each copy", datagram, 2, echoed, 2, ""},
		{"each copy and once more", datagram, 2, echoed, 3, score.FaultDuplicate},
		{"in fragments", datagram, 1, fragmented, 1, ""},
		{"in fragments, twice", datagram, 1, fragmented, 2, score.FaultDuplicate},
		{"port unreachable", datagram, 1, unreachableFor(datagram, 3, 3), 2, score.FaultDuplicate},
		{"retransmission", segmentOf(4, 5000, 80, 2, ""), 1, answerOf(segmentOf(4, 5000, 80, 2, ""), ""), 3, ""},
	} {
		for naming := range 3 {
			t.Run(fmt.Sprintf("%s/naming%d", test.name, naming), func(t *testing.T) {
				s := newStream()
				s.naming = naming
				var asked [][]byte
				for range test.copies {
					asked = append(asked, test.asked.packet())
				}
				s.ask(false, asked...)
				s.requests[0].RoundTrip = time.Millisecond
				s.read()
				for i := range test.times {
					answer := test.answer
					answer.id = uint32(i)
					s.write(1+i%test.copies, answer.packets()...)
				}
				got := Program(s.requests, s.events, time.Second)
				wantExchanges(t, got, test.want)
				if len(got[0].Detail) > 200 {
					t.Errorf("the detail has %d characters", len(got[0].Detail))
				}
			})
		}
	}
}
