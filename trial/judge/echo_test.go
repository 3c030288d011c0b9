package judge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

func joined(kinds []string) string {
	kinds = slices.Clone(kinds)
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}

var allKinds = []string{score.FaultIPChecksum, score.FaultTransportChecksum, score.FaultLength, score.FaultAddresses, score.FaultIDSeq, score.FaultPayload,
	score.FaultType, score.FaultDuplicate, score.FaultLate, score.FaultLost, score.FaultNoise}

// checkExchanges checks what holds for any exchanges.
func checkExchanges(t testing.TB, all []score.Exchange) {
	t.Helper()
	sum := score.Result{Exchanges: all}
	sum.Sum(nil)
	tally := sum.Tally
	if tally.Sent != len(all) || tally.Sent != tally.Right+tally.Wrong+tally.Lost+tally.Late {
		t.Errorf("sent %d is not right %d + wrong %d + lost %d + late %d", tally.Sent, tally.Right, tally.Wrong, tally.Lost, tally.Late)
	}
	for kind := range tally.Faults {
		if !slices.Contains(allKinds, kind) {
			t.Errorf("unknown kind of fault %q", kind)
		}
	}
	for _, x := range all {
		want := score.Right
		switch kinds := joined(x.Faults); kinds {
		case "":
		case score.FaultLost:
			want = score.Lost
		case score.FaultLate:
			want = score.Late
		default:
			want = score.Wrong
		}
		if x.Outcome != want || (x.Detail == "") != (want == score.Right) {
			t.Errorf("faults %v, detail %q: outcome %q, want %q", x.Faults, x.Detail, x.Outcome, want)
		}
		if sum := x.Queue + x.Tool + x.Agent; min(x.Queue, x.Tool, x.Agent, x.Device, x.Response) < 0 || sum > x.Response*1.0001 {
			t.Errorf("parts of %v ms: queue %v tool %v agent %v device %v", x.Response, x.Queue, x.Tool, x.Agent, x.Device)
		}
	}
}

// misstep is one thing that an agent gets wrong, on purpose.
type misstep struct {
	kind  string
	name  string
	spell func(r *spelled)                  // changes the reply before its checksums are made
	bytes func(b []byte, header int) []byte // changes its bytes
	only4 bool
}

// flip changes one bit at an offset behind the IP header.
func flip(at int) func([]byte, int) []byte {
	return func(b []byte, header int) []byte { b[header+at] ^= 0x10; return b }
}

// stating changes what the IP header states as length.
func stating(by int, reseal bool) func([]byte, int) []byte {
	return func(b []byte, header int) []byte {
		at := 2
		if header == 40 {
			at = 4
		}
		binary.BigEndian.PutUint16(b[at:], uint16(int(binary.BigEndian.Uint16(b[at:]))+by))
		if reseal {
			resealed(b)
		}
		return b
	}
}

func putSeq(b []byte, seq uint16) { binary.BigEndian.PutUint16(b[6:], seq) }

var missteps = []misstep{
	{kind: score.FaultIPChecksum, name: "header checksum", only4: true, bytes: func(b []byte, _ int) []byte { b[11]++; return b }},
	{kind: score.FaultIPChecksum, name: "TTL changed later", only4: true, bytes: func(b []byte, _ int) []byte { b[8]--; return b }},
	{kind: score.FaultTransportChecksum, name: "checksum", bytes: flip(3)},
	{kind: score.FaultTransportChecksum, name: "checksum of the request", bytes: func(b []byte, h int) []byte {
		c := binary.BigEndian.Uint16(b[h+2:]) // RFC 1624: the type's 8 is missing from the sum
		binary.BigEndian.PutUint16(b[h+2:], onesSum([]byte{byte(c >> 8), byte(c)}, []byte{0xf7, 0xff}))
		return b
	}},
	{kind: score.FaultLength, name: "4 more stated", bytes: stating(4, true)},
	{kind: score.FaultLength, name: "4 more stated, checksum of the right one", bytes: stating(4, false)},
	{kind: score.FaultLength, name: "3 less stated", bytes: stating(-3, true)},
	{kind: score.FaultLength, name: "all less stated", bytes: stating(-8, false)},
	{kind: score.FaultLength, name: "bytes forgotten", bytes: func(b []byte, _ int) []byte { return b[:len(b)-3] }},
	{kind: score.FaultLength, name: "bytes too many", bytes: func(b []byte, _ int) []byte { return append(b, 1, 2, 3, 4, 5) }},
	{kind: score.FaultAddresses, name: "destination", spell: func(r *spelled) { r.dst = r.dst.Next().Next() }},
	{kind: score.FaultAddresses, name: "source", spell: func(r *spelled) { r.src = r.src.Next() }},
	{kind: score.FaultAddresses, name: "not swapped", spell: func(r *spelled) { r.src, r.dst = r.dst, r.src }},
	{kind: score.FaultIDSeq, name: "identifier", spell: func(r *spelled) { r.body[4] ^= 0x40 }},
	{kind: score.FaultIDSeq, name: "sequence number", spell: func(r *spelled) { putSeq(r.body, 999) }},
	{kind: score.FaultIDSeq, name: "changed places", spell: func(r *spelled) {
		copy(r.body[4:], []byte{r.body[6], r.body[7], r.body[4], r.body[5]})
	}},
	{kind: score.FaultPayload, name: "a byte", spell: func(r *spelled) { r.body[len(r.body)-1] ^= 1 }},
	{kind: score.FaultPayload, name: "shorter", spell: func(r *spelled) { r.body = r.body[:len(r.body)-1] }},
	{kind: score.FaultPayload, name: "none", spell: func(r *spelled) { r.body = r.body[:8] }},
	{kind: score.FaultPayload, name: "longer", spell: func(r *spelled) { r.body = append(r.body, 0, 0, 7) }},
	{kind: score.FaultType, name: "the request's", spell: func(r *spelled) { r.body[0] = map[byte]byte{1: 8, 58: 128}[r.protocol] }},
	{kind: score.FaultType, name: "timestamp reply", spell: func(r *spelled) { r.body[0] = 14 }},
	{kind: score.FaultType, name: "code", spell: func(r *spelled) { r.body[1] = 3 }},
	{kind: score.FaultType, name: "protocol", bytes: func(b []byte, h int) []byte {
		if h == 40 {
			b[6] = 17
			return b
		}
		b[9] = 17
		return resealed(b)
	}},
	{kind: score.FaultType, name: "a true UDP datagram", spell: func(r *spelled) {
		r.protocol, r.body = 17, []byte{0, 7, 0x30, 0x39, 0, 11, 0, 0, 'a', 'b', 'c'}
	}},
	{kind: score.FaultType, name: "unreachable", spell: func(r *spelled) {
		back := *r
		back.src, back.dst = r.dst, r.src
		r.body = append([]byte{3, 1, 0, 0, 0, 0, 0, 0}, back.packet()...)
		if r.protocol == 58 {
			r.body[0] = 1
		}
	}},
	{kind: score.FaultIDSeq + " " + score.FaultTransportChecksum, name: "both", spell: func(r *spelled) { putSeq(r.body, 999) }, bytes: flip(2)},
	{kind: score.FaultAddresses + " " + score.FaultIPChecksum + " " + score.FaultPayload, name: "three", only4: true,
		spell: func(r *spelled) { r.dst = r.dst.Next().Next(); r.body[len(r.body)-1]++ }, bytes: func(b []byte, _ int) []byte { b[10]++; return b }},
}

func (m misstep) make(r spelled) [][]byte {
	if m.spell != nil {
		m.spell(&r)
	}
	all := r.packets()
	if m.bytes != nil {
		all[0] = m.bytes(all[0], map[bool]int{true: 20, false: 40}[r.src.Is4()])
	}
	return all
}

// someData is data of a request: timestamps make a ping's differ from the others.
func someData(size, which int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + which*41)
	}
	return b
}

// TestJudgeEchoCountsEachMistakeOnce: of four requests the third is answered
// with one misstep, in every way of reading, naming and spelling.
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

func withMisstep(m misstep, version, size, naming int, batch, alike bool) []score.Exchange {
	s := newStream()
	s.naming = naming
	var requests []spelled
	reply := func(i int) {
		all := echoReply(requests[i]).packets()
		if i == 2 {
			all = m.make(echoReply(requests[i]))
		}
		s.write(s.requests[i].Numbers[0], all...)
	}
	for i := range 4 {
		which := i
		if alike {
			which = 0
		}
		requests = append(requests, echoRequest(version, 0x3ae6, uint16(i+1), someData(size, which)))
		s.ask(false, requests[i].packet())
		if !batch {
			s.read()
			reply(i)
		}
	}
	if batch {
		s.read()
		for i := range requests {
			reply(i)
		}
	}
	return Echo(s.requests, s.events, 5*time.Second)
}

// TestJudgeEchoCountsWhatNoByteShows: the four kinds that lie in when and
// whether something was written.
func TestJudgeEchoCountsWhatNoByteShows(t *testing.T) {
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
				{score.FaultLost, "read it and never answered", func(s *stream, _ int, _ []byte) { s.read() }},
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
			s.ask(true, echoReply(good).packet()) // an answer to nothing
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

// TestJudgeEchoCoversEveryKind guards the tables above.
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

func TestJudgeEchoFragments(t *testing.T) {
	gone := func(which int) func([][]byte) [][]byte {
		return func(p [][]byte) [][]byte { return append(slices.Clone(p[:which]), p[which+1:]...) }
	}
	for _, test := range []struct {
		name, kind string
		spell      func(*spelled)
		packets    func([][]byte) [][]byte
	}{
		{name: "right"},
		{name: "backwards", packets: func(p [][]byte) [][]byte { slices.Reverse(p); return p }},
		{name: "in one piece", spell: func(r *spelled) { r.size = 0 }},
		{name: "in other pieces", spell: func(r *spelled) { r.size = 8 * 33 }},
		{name: "last missing", kind: score.FaultLength, packets: gone(2)},
		{name: "first missing", kind: score.FaultLength, packets: gone(0)},
		{name: "wrong offset", kind: score.FaultLength, packets: func(p [][]byte) [][]byte {
			if p[1][0]>>4 == 4 {
				p[1][7]++
				resealed(p[1])
			} else {
				p[1][43] += 8
			}
			return p
		}},
		{name: "wrong data", kind: score.FaultPayload, spell: func(r *spelled) { r.body[2000]++ }},
		{name: "data changed later", kind: score.FaultPayload + " " + score.FaultTransportChecksum, packets: func(p [][]byte) [][]byte { p[1][100]++; return p }},
		{name: "wrong total length", kind: score.FaultLength, packets: func(p [][]byte) [][]byte {
			p[1] = stating(8, true)(p[1], map[byte]int{4: 20, 6: 40}[p[1][0]>>4])
			return p
		}},
		{name: "wrong destination", kind: score.FaultAddresses, packets: func(p [][]byte) [][]byte {
			at := map[byte]int{4: 19, 6: 39}[p[1][0]>>4]
			p[1][at] += 8
			resealed(p[1])
			return p
		}},
	} {
		for _, version := range []int{4, 6} {
			for naming := range 3 {
				t.Run(fmt.Sprintf("%s/IPv%d/naming%d", test.name, version, naming), func(t *testing.T) {
					s := newStream()
					s.naming = naming
					var requests []spelled
					for i := range 2 {
						r := echoRequest(version, 9, uint16(i+1), someData(3000+i, i))
						r.size = 1480
						r.df = false
						requests = append(requests, r)
						s.ask(false, r.packets()...)
					}
					s.read()
					s.write(s.requests[0].Numbers[0], echoReply(requests[0]).packets()...)
					reply := echoReply(requests[1])
					if test.spell != nil {
						test.spell(&reply)
					}
					packets := reply.packets()
					if test.packets != nil {
						packets = test.packets(packets)
					}
					s.write(s.requests[1].Numbers[0], packets...)
					wantExchanges(t, Echo(s.requests, s.events, 0), "", test.kind)
				})
			}
		}
	}
}

// TestJudgeEchoFragmentsInterleaved: two replies of one identification whose
// fragments are mixed are kept apart.
func TestJudgeEchoFragmentsInterleaved(t *testing.T) {
	s := newStream()
	s.naming = byFlow
	var packets [2][][]byte
	for i := range packets {
		r := echoRequest(4, 9, uint16(i+1), someData(2000, i))
		s.ask(false, r.packet())
		reply := echoReply(r)
		reply.size, reply.id, reply.df = 1024, 0, false
		packets[i] = reply.packets()
	}
	s.read()
	s.write(0, packets[0][0], packets[1][0], packets[0][1], packets[1][1])
	wantExchanges(t, Echo(s.requests, s.events, 0), "", "")
}

// TestJudgeEchoCarry: checksums whose sums carry, and both forms of zero.
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

// TestJudgeEchoNames: what an agent says to answer is not on the wire.
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
		{"names changed places", []written{{2, right1}, {1, right2}}, []string{"", ""}},
		{"both name the first", []written{{1, right1}, {1, right2}}, []string{"", ""}},
		{"wrong sequence number, data its own", []written{{1, wrong.packet()}, {2, right2}}, []string{score.FaultIDSeq, ""}},
		{"a wrong one, then a right one", []written{{1, broken}, {1, right1}, {2, right2}}, []string{score.FaultDuplicate + " " + score.FaultTransportChecksum, ""}},
		{"the first twice", []written{{1, right1}, {2, right1}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"the first twice, no name", []written{{1, right1}, {0, right1}}, []string{score.FaultDuplicate, score.FaultLost}},
		{"a stray one", []written{{0, other.packet()}, {1, right1}, {2, right2}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"a stray one instead", []written{{1, right1}, {0, other.packet()}}, []string{"", score.FaultIDSeq + " " + score.FaultPayload}},
		{"an answer to other traffic", []written{{90, other.packet()}, {1, right1}, {2, right2}}, []string{"", ""}},
		{"a right answer named as of other traffic", []written{{90, right1}, {2, right2}}, []string{"", ""}},
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

// TestJudgeEchoTwins: two requests of the same bytes want two answers.
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

// TestJudgeEchoDoubled: a request that the link doubled may be answered twice.
func TestJudgeEchoDoubled(t *testing.T) {
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

func TestJudgeEchoWithoutPackets(t *testing.T) {
	s := newStream()
	s.requests = []Request{{N: 1}, {N: 2, Leave: true}}
	wantExchanges(t, Echo(s.requests, nil, time.Second), score.FaultLost, "")
	if got := Echo(nil, s.events, time.Second); len(got) != 0 {
		t.Error(got)
	}
}

func TestJudgeParts(t *testing.T) {
	s := newStream()
	r := echoRequest(4, 7, 1, nil)
	s.ask(false, r.packet()) // arrives at 1 ms
	s.pass(9 * time.Millisecond)
	s.read() // begins at 10, delivers at 11, ends at 12
	s.pass(100 * time.Millisecond)
	s.write(1, echoReply(r).packet()) // begins at 112, writes at 113
	s.requests[0].RoundTrip = 120 * time.Millisecond
	for _, got := range [][]score.Exchange{Echo(s.requests, s.events, 0), Program(s.requests, s.events, 0)} {
		x := got[0]
		if x.Outcome != score.Right || x.RoundTrip != 120 || x.Response != 112 || x.Queue != 10 || x.Tool != 2 || x.Agent != 100 || x.Device != 8 || x.Number != 1 || x.Answer != 2 {
			t.Errorf("%+v", x)
		}
		sum := score.Result{Exchanges: got}
		sum.Sum(s.events)
		tally, roundTrip, response, parts := sum.Tally, sum.RoundTrip, sum.Response, sum.Parts
		if tally.Sent != 1 || tally.Right != 1 || tally.Answered != 1 || tally.Calls != 2 || tally.CharsIn != 20 || tally.CharsOut != 200 ||
			tally.Reads != 1 || tally.Writes != 1 || tally.Rate.Value != 1 || roundTrip.N != 1 || response.Median != 112 || parts.Agent.Max != 100 || parts.Device.Max != 8 {
			t.Errorf("%+v %+v %+v %+v", tally, roundTrip, response, parts)
		}
	}
	ladder := score.Ladder(s.events, s.requests[0].Sent, 2)
	if len(ladder) != 2 || ladder[1].At != 113 || ladder[1].ReplyTo != 1 || ladder[1].Bytes != 28 || ladder[1].Direction != "write" ||
		!strings.Contains(ladder[1].Summary, "echo reply") || len(score.Ladder(s.events, s.now, 1)) != 1 {
		t.Errorf("%+v", ladder)
	}
}
