package judge

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An agent that floods cannot make the judge slow or the report long.
func TestJudgeFlood(t *testing.T) {
	const many = 20_000
	ping := echoRequest(4, 7, 1, someData(20, 1))
	asked := datagramOf(4, 5000, 7, "data")
	for name, of := range map[string]func(i int) []byte{
		"strays": func(i int) []byte {
			return echoReply(echoRequest(4, uint16(i)|0x8000, uint16(i)+100, someData(8, i))).packet()
		},
		"unfinished fragments": func(i int) []byte {
			r := echoReply(echoRequest(4, 9, uint16(i), someData(24, i)))
			r.id, r.size, r.df = uint32(i/2), 16, false
			return r.packets()[0]
		},
		"unfinished fragments of one identification": func(i int) []byte {
			r := echoReply(echoRequest(4, 9, uint16(i), someData(24, i)))
			r.id, r.size, r.df = 1, 16, false
			return r.packets()[0]
		},
		"wrong checksums": func(i int) []byte {
			b := answerOf(asked, string(someData(8, i))).packet()
			b[26] ^= byte(i)
			b[27] ^= byte(i>>8) | 1
			return b
		},
	} {
		var all [][]byte
		for i := range many {
			all = append(all, of(i))
		}
		for _, judged := range []struct {
			by            func([]Request, []session.Event, time.Duration) []score.Exchange
			asked, answer []byte
		}{
			{Echo, ping.packet(), echoReply(ping).packet()},
			{Program, asked.packet(), answerOf(asked, "data").packet()},
		} {
			s := newStream()
			s.naming = byNothing
			s.ask(false, judged.asked)
			s.requests[0].RoundTrip = time.Millisecond
			s.read()
			s.write(1, append([][]byte{judged.answer}, all...)...)
			began := time.Now()
			x := judged.by(s.requests, s.events, time.Second)[0]
			if took := time.Since(began); took > 5*time.Second || len(x.Detail) > 4000 {
				t.Errorf("%s: after %v, with %d characters of detail", name, took, len(x.Detail))
			}
		}
	}
}
