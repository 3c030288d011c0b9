package judge

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// datagramOf returns a UDP datagram from the peer, over IP version 4 or 6.
func datagramOf(version int, from, to uint16, data string) spelled {
	s := spelled{src: testPeer[version], dst: testAgent[version], protocol: 17, hops: 64}
	s.body = binary.BigEndian.AppendUint16(nil, from)
	s.body = binary.BigEndian.AppendUint16(s.body, to)
	s.body = binary.BigEndian.AppendUint16(s.body, uint16(8+len(data)))
	s.body = append(append(s.body, 0, 0), data...)
	return s
}

// segmentOf returns a TCP segment from the peer.
func segmentOf(version int, from, to uint16, flags byte, data string) spelled {
	s := datagramOf(version, from, to, "")
	s.protocol = 6
	s.body = append(s.body[:4], 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0)
	s.body = append(s.body, data...)
	return s
}

// answerOf returns a datagram or segment in the other direction, with new data.
func answerOf(s spelled, data string) spelled {
	s.src, s.dst = s.dst, s.src
	header := map[byte]int{17: 8, 6: 20}[s.protocol]
	body := append([]byte(nil), s.body[:header]...)
	body[0], body[1], body[2], body[3] = s.body[2], s.body[3], s.body[0], s.body[1]
	s.body = append(body, data...)
	if s.protocol == 17 {
		binary.BigEndian.PutUint16(s.body[4:], uint16(len(s.body)))
	}
	return s
}

// unreachableFor returns an ICMP error from the agent about a packet from the peer.
func unreachableFor(s spelled, kind, code byte) spelled {
	e := spelled{src: s.dst, dst: s.src, protocol: 1, hops: 64}
	if s.src.Is6() {
		e.protocol = 58
	}
	e.body = append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, s.packet()...)
	return e
}

// The second of three exchanges has a packet with one mistake, for each protocol.
func TestJudgeProgramCountsEachMistakeOnce(t *testing.T) {
	for _, m := range []misstep{
		{kind: ""},
		{kind: score.FaultIPChecksum, only4: true, bytes: func(b []byte, _ int) []byte { b[11]++; return b }},
		{kind: score.FaultTransportChecksum, name: "data changed later", bytes: func(b []byte, _ int) []byte { b[len(b)-1] ^= 2; return b }},
		{kind: score.FaultLength, name: "more stated", bytes: stating(4, true)},
		{kind: score.FaultLength, name: "less stated", bytes: stating(-2, false)},
		{kind: score.FaultLength, name: "bytes too many", bytes: func(b []byte, _ int) []byte { return append(b, 1, 2, 3) }},
		{kind: score.FaultAddresses, name: "destination", spell: func(r *spelled) { r.dst = r.dst.Next().Next() }},
		{kind: score.FaultAddresses, name: "source", spell: func(r *spelled) { r.src = r.src.Next() }},
		{kind: score.FaultAddresses, name: "not swapped", spell: func(r *spelled) { r.src, r.dst = r.dst, r.src }},
	} {
		for _, version := range []int{4, 6} {
			if m.only4 && version == 6 {
				continue
			}
			for name, protocol := range map[string]func(i uint16) (request, answer spelled){
				"UDP": func(i uint16) (spelled, spelled) {
					r := datagramOf(version, 5000+i, 53, "query")
					return r, answerOf(r, "odd")
				},
				"TCP": func(i uint16) (spelled, spelled) {
					r := segmentOf(version, 5000+i, 80, 2, "")
					return r, answerOf(r, "hello")
				},
				"ICMP": func(i uint16) (spelled, spelled) {
					r := echoRequest(version, 5000, i, []byte("data1"))
					return r, echoReply(r)
				},
				"unreachable": func(i uint16) (spelled, spelled) {
					r := datagramOf(version, 5000+i, 9, "any")
					return r, unreachableFor(r, map[int]byte{4: 3, 6: 1}[version], map[int]byte{4: 3, 6: 4}[version])
				},
			} {
				for naming := range 3 {
					t.Run(fmt.Sprintf("%s %s/%s/IPv%d/naming%d", m.kind, m.name, name, version, naming), func(t *testing.T) {
						want := m.kind
						if name == "unreachable" && strings.HasPrefix(m.name, "data changed") {
							want = score.FaultPayload + " " + want // the data is part of the quote
						}
						s := newStream()
						s.naming = naming
						for i := range uint16(3) {
							request, answer := protocol(i)
							n := s.ask(false, request.packet())
							s.requests[n].RoundTrip = 50 * time.Millisecond
							s.read()
							if i != 1 {
								s.write(s.requests[n].Numbers[0], answer.packet())
								continue
							}
							if m.kind != "" {
								s.requests[n].RoundTrip = 0 // no program accepts that
								s.requests[n].Failure = "time-out"
							}
							s.write(s.requests[n].Numbers[0], m.make(answer)...)
						}
						wantExchanges(t, Program(s.requests, s.events, time.Second), "", want, "")
					})
				}
			}
		}
	}
}

func TestJudgeProgramTransport(t *testing.T) {
	request := datagramOf(4, 5000, 53, "query")
	request6 := datagramOf(6, 5000, 53, "query")
	fragmented := answerOf(request, strings.Repeat("long", 500))
	fragmented.size = 800
	for _, test := range []struct {
		name   string
		answer [][]byte
		want   string
	}{
		{"UDP without a checksum", [][]byte{func() []byte {
			b := answerOf(request, "x").packet()
			b[26], b[27] = 0, 0
			return b
		}()}, ""},
		{"UDP without a checksum over IPv6", [][]byte{func() []byte {
			b := answerOf(request6, "x").packet()
			b[46], b[47] = 0, 0
			return b
		}()}, score.FaultTransportChecksum},
		{"wrong UDP length, summed", [][]byte{func() []byte {
			r := answerOf(request, "abcd")
			r.body[5]++
			return r.packet()
		}()}, score.FaultLength},
		{"wrong UDP length, not summed", [][]byte{func() []byte {
			b := answerOf(request, "abcd").packet()
			b[25]--
			return b
		}()}, score.FaultLength},
		{"wrong data offset", [][]byte{func() []byte {
			r := answerOf(segmentOf(4, 5000, 53, 2, ""), "")
			r.body[12] = 0x40
			return r.packet()
		}()}, score.FaultLength},
		{"TCP option that does not fit", [][]byte{func() []byte {
			r := answerOf(segmentOf(4, 5000, 53, 2, ""), "")
			r.body[12] = 0x60
			r.body = append(r.body, 2, 5, 5, 0xb4)
			return r.packet()
		}()}, score.FaultLength},
		{"fragments, only IP headers checked", fragmented.packets(), ""},
		{"fragment, IP header checksum", [][]byte{fragmented.packets()[0], func() []byte {
			b := fragmented.packets()[1]
			b[10] ^= 1
			return b
		}()}, score.FaultIPChecksum},
		{"time exceeded from a router", [][]byte{func() []byte {
			e := unreachableFor(request, 11, 0)
			e.src = netip.MustParseAddr("192.0.2.1")
			return e.packet()
		}()}, ""},
		{"port unreachable from a stranger", [][]byte{func() []byte {
			e := unreachableFor(request, 3, 3)
			e.src = netip.MustParseAddr("192.0.2.1")
			return e.packet()
		}()}, score.FaultAddresses},
		{"another protocol", [][]byte{spelled{src: testAgent[4], dst: testPeer[4], protocol: 99, hops: 1, body: []byte("?")}.packet()}, ""},
	} {
		for naming := range 3 {
			s := newStream()
			s.naming = naming
			r := request
			if test.answer[0][0]>>4 == 6 {
				r = request6
			}
			s.ask(false, r.packet())
			s.requests[0].RoundTrip = time.Millisecond
			s.read()
			s.write(1, test.answer...)
			t.Run(test.name, func(t *testing.T) {
				wantExchanges(t, Program(s.requests, s.events, time.Second), test.want)
			})
		}
	}
}

func TestJudgeProgramOutcomes(t *testing.T) {
	r := datagramOf(4, 5000, 53, "query")
	for _, test := range []struct {
		name      string
		roundTrip time.Duration
		failure   string
		leave     bool
		wait      time.Duration // before the answer; 0 means no answer
		want      string
		detail    string
	}{
		{"right", 50 * time.Millisecond, "", false, time.Millisecond, "", ""},
		{"wrong", 50 * time.Millisecond, "192.0.2.9 is not the address asked for", false, time.Millisecond, score.FaultPayload, "192.0.2.9"},
		{"late", 2 * time.Second, "", false, 2 * time.Second, score.FaultLate, "answered after 2.000 s"},
		{"wrong and late", 2 * time.Second, "no", false, 2 * time.Second, score.FaultLate + " " + score.FaultPayload, "no; answered"},
		{"lost", 0, "time-out", false, 0, score.FaultLost, "time-out: the agent read it but never answered"},
		{"answered incompletely", 0, "", false, time.Millisecond, score.FaultPayload, "never got a complete answer"},
		{"answered after the time-out", 0, "time-out", false, 3 * time.Second, score.FaultLate, "answered after 3.003 s"},
		{"ignored", 0, "", true, 0, "", ""},
		{"not ignored", 0, "", true, time.Millisecond, score.FaultNoise, "must be ignored"},
	} {
		s := newStream()
		s.ask(test.leave, r.packet())
		s.requests[0].RoundTrip, s.requests[0].Failure = test.roundTrip, test.failure
		s.read()
		if s.pass(test.wait); test.wait > 0 {
			s.write(1, answerOf(r, "x").packet())
		}
		got := Program(s.requests, s.events, time.Second)
		t.Run(test.name, func(t *testing.T) {
			wantExchanges(t, got, test.want)
			if !strings.Contains(got[0].Detail, test.detail) {
				t.Errorf("detail %q, want %q", got[0].Detail, test.detail)
			}
		})
	}
}

// A failure with a Kind counts under that kind.
func TestJudgeProgramKind(t *testing.T) {
	s := newStream()
	r := segmentOf(4, 5000, 7, 2, "")
	s.ask(false, r.packet())
	s.requests[0].RoundTrip, s.requests[0].Failure, s.requests[0].Kind = time.Millisecond, "connection refused", score.FaultType
	s.read()
	s.write(1, answerOf(r, "").packet())
	wantExchanges(t, Program(s.requests, s.events, time.Second), score.FaultType)
}

// A packet that belongs to no exchange counts for the one that began last. A packet that
// answers an earlier scenario does not count.
func TestJudgeProgramOwners(t *testing.T) {
	s := newStream()
	s.number = 10
	for i := range uint16(3) {
		r := datagramOf(4, 5000+i, 53, "query")
		n := s.ask(i == 2, r.packet())
		s.requests[n].RoundTrip = time.Millisecond
		s.read()
		if i != 2 {
			s.write(s.number, answerOf(r, "x").packet())
		}
	}
	broken := datagramOf(4, 999, 998, "own")
	broken.src, broken.dst = broken.dst, broken.src
	data := broken.packet()
	data[27]++
	s.write(3, data)
	wantExchanges(t, Program(s.requests, s.events, 0), "", "", "")
	s.write(0, data)
	wantExchanges(t, Program(s.requests, s.events, 0), "", score.FaultTransportChecksum, "")
}
