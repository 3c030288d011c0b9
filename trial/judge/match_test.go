package judge

import (
	"bytes"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The reply_to of an answer is not on the wire, so it may be wrong.
func TestJudgeEchoNames(t *testing.T) {
	one, two := echoRequest(4, 7, 1, someData(16, 1)), echoRequest(4, 7, 2, someData(16, 2))
	right1, right2 := echoReply(one).packet(), echoReply(two).packet()
	wrong := echoReply(one)
	putSeq(wrong.body, 2)
	broken := bytes.Clone(right1)
	broken[22]++
	other := echoReply(echoRequest(4, 99, 77, []byte("other")))
	type written struct {
		replyTo int
		data    []byte
	}
	for _, test := range []struct {
		name    string
		written []written
		want    []string
	}{
		{"names swapped", []written{{2, right1}, {1, right2}}, []string{"", ""}},
		{"both name the first", []written{{1, right1}, {1, right2}}, []string{"", ""}},
		{"wrong sequence number, right data", []written{{1, wrong.packet()}, {2, right2}}, []string{score.FaultIDSeq, ""}},
		{"a wrong answer, then a right one", []written{{1, broken}, {1, right1}, {2, right2}}, []string{score.FaultDuplicate + " " + score.FaultTransportChecksum, ""}},
		{"the first twice", []written{{1, right1}, {2, right1}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"the first twice, one without a name", []written{{1, right1}, {0, right1}}, []string{score.FaultDuplicate, score.FaultLost}},
		{"an additional stray answer", []written{{0, other.packet()}, {1, right1}, {2, right2}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"a stray answer instead", []written{{1, right1}, {0, other.packet()}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"an answer to other traffic", []written{{90, other.packet()}, {1, right1}, {2, right2}}, []string{"", ""}},
		{"a right answer that names other traffic", []written{{90, right1}, {2, right2}}, []string{"", ""}},
	} {
		s := newStream()
		s.ask(false, one.packet())
		s.ask(false, two.packet())
		s.read()
		for _, w := range test.written {
			s.write(w.replyTo, w.data)
		}
		t.Run(test.name, func(t *testing.T) { wantExchanges(t, Echo(s.requests, s.events, 0), test.want...) })
	}
}

// Two requests with the same bytes need two answers.
func TestJudgeEchoTwins(t *testing.T) {
	r := echoRequest(4, 7, 1, someData(16, 1))
	for naming := range 3 {
		s := newStream()
		s.naming = naming
		s.ask(false, r.packet())
		s.ask(false, r.packet())
		s.read()
		s.write(1, echoReply(r).packet())
		s.write(2, echoReply(r).packet())
		wantExchanges(t, Echo(s.requests, s.events, 0), "", "")
	}
}

// A request that the link duplicated may be answered twice.
func TestJudgeEchoDuplicated(t *testing.T) {
	r := echoRequest(4, 7, 1, someData(3000, 1))
	for _, size := range []int{0, 1480} {
		r.size = size
		s := newStream()
		s.ask(false, append(r.packets(), r.packets()...)...)
		s.read()
		reply := echoReply(r)
		reply.size = 0
		s.write(1, reply.packet())
		wantExchanges(t, Echo(s.requests, s.events, 0), "")
		s.write(1, reply.packet())
		wantExchanges(t, Echo(s.requests, s.events, 0), "")
		s.write(1, reply.packet())
		wantExchanges(t, Echo(s.requests, s.events, 0), score.FaultDuplicate)
	}
}
