package judge

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The judge says why a program never got its answer.
func TestJudgeProgramMissed(t *testing.T) {
	datagram := datagramOf(4, 5000, 7, "data")
	syn := segmentOf(4, 5000, 80, 2, "")
	segment := func(flags byte, acknowledges uint32, data string) spelled {
		s := answerOf(syn, data)
		s.body[13] = flags
		binary.BigEndian.PutUint32(s.body[8:], acknowledges)
		return s
	}
	fromPort9 := answerOf(datagram, "data")
	fromPort9.body[1] = 9
	const synAck, ack = 0x12, 0x10
	type written struct {
		after time.Duration
		spelled
	}
	for _, test := range []struct {
		name    string
		asked   spelled
		written []written
		want    string
		detail  string
	}{
		{"nothing", datagram, nil, score.FaultLost, "never answered"},
		{"from another port", datagram, []written{{time.Second, fromPort9}}, score.FaultAddresses, "the ports of #2 are 9 > 5000, should be 7 > 5000"},
		{"other data", datagram, []written{{time.Second, answerOf(datagram, "other")}}, score.FaultPayload, "never got a complete answer"},
		{"echoed, but never received", datagram, []written{{time.Second, answerOf(datagram, "data")}}, score.FaultLost, "#2 echoes the request"},
		{"an echo reply", datagram, []written{{time.Second, echoReply(echoRequest(4, 7, 1, nil))}}, score.FaultType, "the protocol of #2 is 1, should be 17"},
		{"time exceeded", datagram, []written{{time.Second, unreachableFor(datagram, 11, 0)}}, score.FaultType, "#2 is an ICMP error, type 11 code 0"},
		{"late", datagram, []written{{6 * time.Second, answerOf(datagram, "data")}}, score.FaultLate, "answered after 6.0"},
		{"a late page", syn, []written{{time.Second, segment(synAck, 2, "")}, {5 * time.Second, segment(ack, 9, "page")}}, score.FaultLate, "answered after 6.0"},
		{"no page", syn, []written{{time.Second, segment(synAck, 2, "")}, {5 * time.Second, segment(ack, 9, "")}}, score.FaultPayload, "never got a complete answer"},
		{"no SYN ACK", syn, []written{{time.Second, segment(ack, 2, "")}}, score.FaultType, "got no SYN ACK"},
		{"a SYN ACK for another SYN", syn, []written{{time.Second, segment(synAck, 1, "")}}, score.FaultIDSeq, "the SYN ACK #2 acknowledges 1, should be 2"},
	} {
		for naming := range 3 {
			t.Run(fmt.Sprintf("%s/naming%d", test.name, naming), func(t *testing.T) {
				s := newStream()
				s.naming = naming
				s.ask(false, test.asked.packet())
				s.requests[0].Failure = "no answer in time"
				s.read()
				for _, w := range test.written {
					s.pass(w.after)
					s.write(1, w.packet())
				}
				got := Program(s.requests, s.events, 5*time.Second)
				wantExchanges(t, got, test.want)
				if x := got[0]; !strings.Contains(x.Detail, test.detail) || (x.Answer != 0) != (len(test.written) > 0) {
					t.Errorf("%+v, want the detail %q", x, test.detail)
				}
			})
		}
	}
}
