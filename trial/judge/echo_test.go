package judge

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The third of four requests is answered with one misstep, in every way of reading,
// naming and encoding.
func TestJudgeEchoCountsEachMistakeOnce(t *testing.T) {
	for _, m := range missteps {
		for _, version := range []int{4, 6} {
			if m.only4 && version == 6 {
				continue
			}
			for _, size := range []int{1, 3, 56, 57, 1400} {
				for naming := range 3 {
					for _, batch := range []bool{false, true} {
						for _, alike := range []bool{false, true} {
							t.Run(fmt.Sprintf("%s/%s/IPv%d/%d/naming%d/batch=%v/alike=%v", m.kind, m.name, version, size, naming, batch, alike), func(t *testing.T) {
								wantExchanges(t, withMisstep(m, version, size, naming, batch, alike), "", "", m.kind, "")
							})
						}
					}
				}
			}
		}
	}
}

// Four kinds of fault depend on whether and when something was written, not on its bytes.
func TestJudgeEchoCountsFaultsOfTiming(t *testing.T) {
	for _, version := range []int{4, 6} {
		for naming := range 3 {
			for _, test := range []struct {
				kind, detail string
				answer       func(s *stream, number int, right []byte)
			}{
				{score.FaultDuplicate, "answered 2 times: #4, #5", func(s *stream, n int, right []byte) { s.read(); s.write(n, right, right) }},
				{score.FaultDuplicate, "answered 3 times", func(s *stream, n int, right []byte) { s.read(); s.write(n, right, right, right) }},
				{score.FaultLate, "answered after 6.003 s, the deadline is 5.000 s", func(s *stream, n int, right []byte) {
					s.read()
					s.pass(6 * time.Second)
					s.write(n, right)
				}},
				{score.FaultLost, "never read it", func(s *stream, _ int, _ []byte) {}},
				{score.FaultLost, "read it but never answered", func(s *stream, _ int, _ []byte) { s.read() }},
				{score.FaultLost, "queue dropped it", func(s *stream, n int, _ []byte) {
					s.events = append(s.events, session.Event{Event: session.EventDropped, Number: n, Time: s.now})
				}},
				{score.FaultLost, "refused: ICMP checksum", func(s *stream, n int, _ []byte) {
					s.read()
					s.events = append(s.events, session.Event{Event: session.EventRefused, ReplyTo: n, Time: s.now, Why: "ICMP checksum is 0x1"})
				}},
				{score.FaultLost, "never answered", func(s *stream, n int, right []byte) {
					s.read()
					s.write(n, right)
					s.events = append(s.events, session.Event{Event: session.EventFailed, Number: s.number, Time: s.now})
				}},
			} {
				s := newStream()
				s.naming = naming
				first, second := echoRequest(version, 7, 1, someData(9, 1)), echoRequest(version, 7, 2, someData(9, 2))
				s.ask(false, first.packet())
				s.read()
				s.write(1, echoReply(first).packet())
				s.ask(false, second.packet())
				test.answer(s, 3, echoReply(second).packet())
				got := Echo(s.requests, s.events, 5*time.Second)
				wantExchanges(t, got, "", test.kind)
				if !strings.Contains(got[1].Detail, test.detail) {
					t.Errorf("detail %q, want %q", got[1].Detail, test.detail)
				}
			}
		}
	}
}

func TestJudgeEchoNoise(t *testing.T) {
	for _, version := range []int{4, 6} {
		for naming := range 3 {
			s := newStream()
			s.naming = naming
			good := echoRequest(version, 7, 1, someData(20, 1))
			damaged := echoRequest(version, 7, 2, someData(20, 2)).packet()
			damaged[len(damaged)-1]++
			foreign := echoRequest(version, 7, 3, someData(20, 3))
			foreign.dst = foreign.dst.Next()
			s.ask(false, good.packet())
			s.ask(true, damaged)
			s.ask(true, foreign.packet())
			s.ask(true, echoReply(good).packet()) // an unsolicited reply
			s.ask(true, []byte{0x45, 0, 0})
			s.read()
			s.write(1, echoReply(good).packet())
			wantExchanges(t, Echo(s.requests, s.events, 0), "", "", "", "", "")
			s.write(2, echoReply(echoRequest(version, 7, 2, someData(20, 2))).packet())
			s.write(3, echoReply(foreign).packet())
			s.write(3, echoReply(foreign).packet())
			wantExchanges(t, Echo(s.requests, s.events, 0), "", score.FaultNoise, score.FaultNoise, "", "")
		}
	}
}

// The tables above cover every kind of fault.
func TestJudgeEchoCoversEveryKind(t *testing.T) {
	covered := map[string]bool{score.FaultDuplicate: true, score.FaultLate: true, score.FaultLost: true, score.FaultNoise: true}
	for _, m := range missteps {
		covered[m.kind] = true
	}
	for _, kind := range allKinds {
		if !covered[kind] {
			t.Errorf("no misstep of kind %s", kind)
		}
	}
}

// Checksums whose sums carry are judged right, and so are both forms of zero.
func TestJudgeEchoCarry(t *testing.T) {
	for _, version := range []int{4, 6} {
		for seq := range 0x10000 {
			if seq%97 != 0 && seq < 0xf000 {
				continue
			}
			r := echoRequest(version, 0xffff, uint16(seq), []byte{0xff, 0xff, 0xff})
			s := newStream()
			s.ask(false, r.packet())
			s.read()
			reply := echoReply(r).packet()
			at := len(reply) - 11 + 2
			s.write(1, reply)
			if got := Echo(s.requests, s.events, 0); got[0].Outcome != score.Right {
				t.Fatalf("IPv%d seq %d: %s", version, seq, got[0].Detail)
			}
			if binary.BigEndian.Uint16(reply[at:]) == 0 { // the other form of zero
				binary.BigEndian.PutUint16(reply[at:], 0xffff)
				s.events[len(s.events)-2].Hex = fmt.Sprintf("%x", reply)
				if got := Echo(s.requests, s.events, 0); got[0].Outcome != score.Right {
					t.Errorf("IPv%d seq %d: 0xffff for 0: %s", version, seq, got[0].Detail)
				}
			}
		}
	}
}

// A reply with nothing wrong that the peer's stack drops all the same is lost.
func TestJudgeEchoDroppedByTheStack(t *testing.T) {
	for _, version := range []int{4, 6} {
		for _, test := range []struct {
			sockets   bool
			roundTrip time.Duration
			want      string
		}{
			{sockets: true, roundTrip: 9 * time.Millisecond},
			{sockets: true, want: score.FaultLost},
			{sockets: false}, // no program waits
		} {
			s := newStream()
			s.sockets = test.sockets
			r := echoRequest(version, 7, 1, someData(9, 1))
			s.ask(false, r.packet())
			s.requests[0].RoundTrip = test.roundTrip
			s.read()
			s.write(1, echoReply(r).packet())
			got := Echo(s.requests, s.events, time.Second)
			wantExchanges(t, got, test.want)
			if test.want != "" && !strings.Contains(got[0].Detail, "#2 looks right, but the program that pinged never got it") {
				t.Errorf("detail %q", got[0].Detail)
			}
		}
	}
}

func TestJudgeEchoWithoutPackets(t *testing.T) {
	s := newStream()
	s.requests = []Request{{N: 1}, {N: 2, Leave: true}}
	wantExchanges(t, Echo(s.requests, nil, time.Second), score.FaultLost, "")
	if got := Echo(nil, s.events, time.Second); len(got) != 0 {
		t.Error(got)
	}
}
