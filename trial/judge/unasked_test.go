package judge

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// What a host says to its link unasked is no answer, before and after one. With a mistake in
// it, or as an answer to a request, it is one.
func TestJudgeUnasked(t *testing.T) {
	solicitation := spelled{src: testAgent[6], dst: netip.MustParseAddr("ff02::2"), protocol: 58, hops: 255, body: []byte{133, 0, 0, 0, 0, 0, 0, 0}}
	igmp := spelled{src: testAgent[4], dst: netip.MustParseAddr("224.0.0.22"), protocol: 2, hops: 1, options: []byte{0x94, 4, 0, 0},
		body: []byte{0x22, 0, 0xf9, 2, 0, 0, 0, 1, 4, 0, 0, 0, 224, 0, 0, 251}}
	reply := echoReply(echoRequest(6, 9, 9, nil))
	reply.dst = solicitation.dst
	broken := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)-1]++
		return b
	}
	for _, test := range []struct {
		name    string
		version int
		said    []byte
		naming  int
		right   bool
	}{
		{"a router solicitation", 6, solicitation.packet(), byNothing, true},
		{"a router solicitation with a wrong checksum", 6, broken(solicitation.packet()), byNothing, false},
		{"a router solicitation in place of the answer", 6, solicitation.packet(), byNumber, false},
		{"an echo reply to a group", 6, reply.packet(), byNothing, false},
		{"an IGMP report", 4, igmp.packet(), byNothing, true},
		{"an IGMP report with a wrong checksum", 4, broken(igmp.packet()), byNothing, false},
	} {
		for _, early := range []bool{true, false} {
			ping, datagram := newStream(), newStream()
			request, asked := echoRequest(test.version, 7, 1, someData(20, 1)), datagramOf(test.version, 5000, 7, "abcd")
			play := func(s *stream, request, answer []byte) {
				s.ask(false, request)
				s.requests[0].RoundTrip = time.Millisecond
				say := func() {
					s.naming = test.naming
					s.write(1, test.said)
					s.naming = byNumber
				}
				if early {
					say()
				}
				s.read()
				s.write(1, answer)
				if !early {
					say()
				}
			}
			play(ping, request.packet(), echoReply(request).packet())
			play(datagram, asked.packet(), answerOf(asked, "abcd").packet())
			for _, x := range append(Echo(ping.requests, ping.events, time.Second), Program(datagram.requests, datagram.events, time.Second)...) {
				if (x.Outcome == score.Right) != test.right {
					t.Errorf("%s, early %t: %s (%s)", test.name, early, x.Outcome, x.Detail)
				}
			}
		}
	}
}
