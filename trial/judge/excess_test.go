package judge

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A TCP echo that goes on after the right bytes is wrong, even if the program has ended. A
// retransmission is not.
func TestJudgeTCPEchoExcess(t *testing.T) {
	const syn, rst, ack = 0x02, 0x04, 0x10
	data := strings.Repeat("abcdefghij", 100)
	for _, test := range []struct {
		name string
		at   uint32 // of the further segment, from the first byte on
		data string
		want string
	}{
		{"a retransmission", 500, data[500:], ""},
		{"everything twice", 1000, data, score.FaultPayload},
		{"one byte more", 0, data + "a", score.FaultPayload},
		{"a bare ACK", 1000, "", ""},
		{"a keepalive", 0xffffffff, "", ""},
		{"after a gap", 1001, "a", ""},
	} {
		for _, first := range []uint32{2, 0xfffffe00} { // it wraps on the way
			segment := func(at uint32, flags byte, data string) []byte {
				s := answerOf(segmentOf(4, 5000, 7, flags, ""), data)
				binary.BigEndian.PutUint32(s.body[4:], first+at)
				return s.packet()
			}
			s := newStream()
			s.ask(false, segmentOf(4, 5000, 7, syn, "").packet(), segmentOf(4, 5000, 7, ack, data).packet())
			s.requests[0].RoundTrip = time.Millisecond
			s.read()
			s.write(2, segment(0xffffffff, syn|ack, ""), segment(0, ack, data), segment(test.at, ack, test.data))
			s.write(2, segment(2000, rst, "why"))
			t.Run(test.name, func(t *testing.T) { wantExchanges(t, TCPEcho(1000)(s.requests, s.events, time.Second), test.want) })
		}
	}
}
