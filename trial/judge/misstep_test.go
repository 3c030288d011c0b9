package judge

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

func joined(kinds []string) string {
	kinds = slices.Clone(kinds)
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}

var allKinds = []string{score.FaultIPChecksum, score.FaultTransportChecksum, score.FaultLength, score.FaultAddresses, score.FaultIDSeq, score.FaultPayload,
	score.FaultType, score.FaultDuplicate, score.FaultLate, score.FaultLost, score.FaultNoise}

// checkExchanges checks the invariants of exchanges.
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

// misstep is a mistake that an agent makes on purpose.
type misstep struct {
	kind  string
	name  string
	spell func(r *spelled)                  // changes the reply before its checksums are computed
	bytes func(b []byte, header int) []byte // changes its bytes; header is the length of the IP header
	only4 bool
}

// flip flips one bit at an offset after the IP header.
func flip(at int) func([]byte, int) []byte {
	return func(b []byte, header int) []byte { b[header+at] ^= 0x10; return b }
}

// stating changes the length in the IP header.
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
		c := binary.BigEndian.Uint16(b[h+2:]) // RFC 1624: the sum still contains the request's type 8
		binary.BigEndian.PutUint16(b[h+2:], onesSum([]byte{byte(c >> 8), byte(c)}, []byte{0xf7, 0xff}))
		return b
	}},
	{kind: score.FaultLength, name: "length 4 too large", bytes: stating(4, true)},
	{kind: score.FaultLength, name: "length 4 too large, checksum of the right one", bytes: stating(4, false)},
	{kind: score.FaultLength, name: "length 3 too small", bytes: stating(-3, true)},
	{kind: score.FaultLength, name: "length 8 too small", bytes: stating(-8, false)},
	{kind: score.FaultLength, name: "bytes missing", bytes: func(b []byte, _ int) []byte { return b[:len(b)-3] }},
	{kind: score.FaultLength, name: "extra bytes", bytes: func(b []byte, _ int) []byte { return append(b, 1, 2, 3, 4, 5) }},
	{kind: score.FaultLength, name: "an option that is too long", spell: func(r *spelled) { r.options, r.hopByHop = []byte{7, 0x63, 4, 0}, true },
		bytes: func(b []byte, h int) []byte {
			if h == 40 {
				b[h+3] = 0x63
			}
			return b
		}},
	{kind: score.FaultAddresses, name: "destination", spell: func(r *spelled) { r.dst = r.dst.Next().Next() }},
	{kind: score.FaultAddresses, name: "source", spell: func(r *spelled) { r.src = r.src.Next() }},
	{kind: score.FaultAddresses, name: "not swapped", spell: func(r *spelled) { r.src, r.dst = r.dst, r.src }},
	{kind: score.FaultIDSeq, name: "identifier", spell: func(r *spelled) { r.body[4] ^= 0x40 }},
	{kind: score.FaultIDSeq, name: "sequence number", spell: func(r *spelled) { putSeq(r.body, 999) }},
	{kind: score.FaultIDSeq, name: "identifier and sequence number swapped", spell: func(r *spelled) {
		copy(r.body[4:], []byte{r.body[6], r.body[7], r.body[4], r.body[5]})
	}},
	{kind: score.FaultPayload, name: "a byte", spell: func(r *spelled) { r.body[len(r.body)-1] ^= 1 }},
	{kind: score.FaultPayload, name: "shorter", spell: func(r *spelled) { r.body = r.body[:len(r.body)-1] }},
	{kind: score.FaultPayload, name: "none", spell: func(r *spelled) { r.body = r.body[:8] }},
	{kind: score.FaultPayload, name: "longer", spell: func(r *spelled) { r.body = append(r.body, 0, 0, 7) }},
	{kind: score.FaultType, name: "the request's", spell: func(r *spelled) { r.body[0] = map[byte]byte{1: 8, 58: 128}[r.protocol] }},
	{kind: score.FaultType, name: "reserved flag", only4: true, bytes: func(b []byte, _ int) []byte { b[6] |= 0x80; return resealed(b) }},
	{kind: score.FaultType, name: "TTL 0", spell: func(r *spelled) { r.hops = 0 }},
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
	{kind: score.FaultType, name: "a valid UDP datagram", spell: func(r *spelled) {
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

// someData returns the data of a request. Like pings with their timestamps, requests
// differ in it.
func someData(size, which int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + which*41)
	}
	return b
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
