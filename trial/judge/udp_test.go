package judge

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// unsummedEcho judges one answer to a datagram with these data and no checksum. Change gets
// the right answer.
func unsummedEcho(data string, change func(b []byte) []byte) []score.Exchange {
	s := newStream()
	asked := datagramOf(4, 5000, 7, data)
	b := asked.packet()
	b[26], b[27] = 0, 0
	s.ask(false, b)
	s.read()
	s.write(1, resealed(change(answerOf(asked, data).packet())))
	return Echo(s.requests, s.events, time.Second)
}

// An echo with bytes after its datagram is right (RFC 768), unless something else is wrong.
func TestJudgeEchoUDPSurplus(t *testing.T) {
	surplus := func(b []byte) []byte {
		b = append(b, "OPTN"...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		return b
	}
	for _, test := range []struct {
		name   string
		change func(b []byte) []byte
		want   string
	}{
		{"a surplus", surplus, ""},
		{"no checksum", func(b []byte) []byte { b[26], b[27] = 0, 0; return surplus(b) }, score.FaultTransportChecksum},
		{"another length", func(b []byte) []byte { b[25]--; return b }, score.FaultLength + " " + score.FaultTransportChecksum},
	} {
		t.Run(test.name, func(t *testing.T) { wantExchanges(t, unsummedEcho("abcdefgh", test.change), test.want) })
	}
}

// A sum that the judge cannot see is neither right nor wrong.
func TestJudgeSums(t *testing.T) {
	cut := func(b []byte, n int) []byte {
		binary.BigEndian.PutUint16(b[2:], uint16(n))
		return b[:n]
	}
	for _, test := range []struct {
		name            string
		change          func(b []byte) []byte
		answered, right int
	}{
		{"right", func(b []byte) []byte { return b }, 1, 1},
		{"a wrong sum", func(b []byte) []byte { b[26]++; return b }, 1, 0},
		{"no sum", func(b []byte) []byte { b[26], b[27] = 0, 0; return b }, 1, 0},
		{"TTL 0", func(b []byte) []byte { b[8] = 0; return b }, 1, 1},
		{"a wrong sum, and a fragment", func(b []byte) []byte { b[26]++; b[6] = 0x20; return b }, 0, 0},
		{"cut short", func(b []byte) []byte { b[26]++; return cut(b, 60) }, 1, 0},
		{"cut in the UDP header", func(b []byte) []byte { return cut(b, 24) }, 0, 0},
		{"a length that ends in the UDP header", func(b []byte) []byte { b[26]++; b[30]++; b[3] = 24; b[2] = 0; return b }, 0, 0},
		{"another protocol", func(b []byte) []byte { b[9] = 253; return b }, 0, 0},
	} {
		got := unsummedEcho(string(someData(1472, 1)), test.change)
		if rows := score.SumsOf(got); len(rows) != 1 || rows[0].Answered != test.answered || rows[0].Right != test.right {
			t.Errorf("%s: %+v from %v", test.name, rows, got)
		}
	}
	broken := unsummedEcho("abcd", func(b []byte) []byte { b[0] = 0x44; return b })
	if rows := score.SumsOf(broken); rows[0].Answered != 0 {
		t.Errorf("IHL 4: %+v from %v", rows, broken)
	}
}
