package judge

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// spelled describes an IP packet for encoding byte by byte. It shares no code with the
// judge.
type spelled struct {
	src, dst netip.Addr
	protocol byte
	hops     byte
	tos      byte // or traffic class
	id       uint32
	df       bool
	options  []byte // IPv4 options, a multiple of 4 bytes
	hopByHop bool   // with IPv6 hop-by-hop options
	body     []byte // packets fills in its checksum
	size     int    // maximum bytes of data in a fragment, a multiple of 8; 0 means not fragmented
}

var (
	testPeer  = map[int]netip.Addr{4: netip.MustParseAddr("10.77.0.1"), 6: netip.MustParseAddr("2001:db8:77::1")}
	testAgent = map[int]netip.Addr{4: netip.MustParseAddr("10.77.0.2"), 6: netip.MustParseAddr("2001:db8:77::2")}
)

// internetChecksum uses big integers instead of adding words: the one's complement sum of
// words is the remainder of the whole number modulo 65,535.
func internetChecksum(b []byte) uint16 {
	if len(b)%2 == 1 {
		b = append(bytes.Clone(b), 0)
	}
	n := new(big.Int).SetBytes(b)
	if n.Sign() == 0 {
		return 0xffff
	}
	rest := new(big.Int).Mod(n, big.NewInt(0xffff)).Uint64()
	return uint16(0xffff - rest) // a remainder of 0 means a sum of 0xffff
}

func (s spelled) sealed() []byte {
	body := bytes.Clone(s.body)
	at := map[byte]int{1: 2, 58: 2, 17: 6, 6: 16}[s.protocol]
	if at == 0 || len(body) < at+2 {
		return body
	}
	var pseudo []byte
	if s.protocol != 1 {
		pseudo = append(pseudo, s.src.AsSlice()...)
		pseudo = append(pseudo, s.dst.AsSlice()...)
		pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(body)))
		pseudo = append(pseudo, 0, 0, 0, s.protocol)
	}
	binary.BigEndian.PutUint16(body[at:], 0)
	sum := internetChecksum(append(pseudo, body...))
	if sum == 0xffff && s.protocol != 17 && !allZero(append(pseudo, body...)) {
		sum = 0
	}
	binary.BigEndian.PutUint16(body[at:], sum)
	return body
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// packets returns the encoded packet, or its fragments in order.
func (s spelled) packets() (all [][]byte) {
	body := s.sealed()
	if s.size == 0 || len(body) <= s.size {
		return [][]byte{s.header(body, 0, false, false)}
	}
	for at := 0; at < len(body); at += s.size {
		end := min(at+s.size, len(body))
		all = append(all, s.header(body[at:end], at, end < len(body), true))
	}
	return all
}

func (s spelled) packet() []byte { return s.packets()[0] }

func (s spelled) header(body []byte, offset int, more, fragment bool) []byte {
	if s.src.Is4() {
		b := make([]byte, 20, 20+len(s.options)+len(body))
		b = append(b, s.options...)
		b[0], b[1] = 0x40|byte(len(b)/4), s.tos
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(body)))
		binary.BigEndian.PutUint16(b[4:], uint16(s.id))
		bits := uint16(offset / 8)
		if more {
			bits |= 0x2000
		}
		if s.df {
			bits |= 0x4000
		}
		binary.BigEndian.PutUint16(b[6:], bits)
		b[8], b[9] = s.hops, s.protocol
		copy(b[12:], s.src.AsSlice())
		copy(b[16:], s.dst.AsSlice())
		binary.BigEndian.PutUint16(b[10:], internetChecksum(b))
		return append(b, body...)
	}
	next, extensions := s.protocol, []byte(nil)
	if fragment {
		bits := uint16(offset)
		if more {
			bits |= 1
		}
		extensions = binary.BigEndian.AppendUint16([]byte{next, 0}, bits)
		extensions = binary.BigEndian.AppendUint32(extensions, s.id)
		next = 44
	}
	if s.hopByHop {
		extensions, next = append([]byte{next, 0, 1, 4, 0, 0, 0, 0}, extensions...), 0
	}
	b := make([]byte, 40)
	b[0], b[1], b[6], b[7] = 0x60|s.tos>>4, s.tos<<4, next, s.hops
	binary.BigEndian.PutUint16(b[4:], uint16(len(extensions)+len(body)))
	copy(b[8:], s.src.AsSlice())
	copy(b[24:], s.dst.AsSlice())
	return append(append(b, extensions...), body...)
}

// resealed corrects the IPv4 header checksum after a change.
func resealed(b []byte) []byte {
	if b[0]>>4 == 4 {
		header := b[:int(b[0]&15)*4]
		binary.BigEndian.PutUint16(header[10:], 0)
		binary.BigEndian.PutUint16(header[10:], internetChecksum(header))
	}
	return b
}

// echoMessage returns an ICMP or ICMPv6 echo message with the checksum 0.
func echoMessage(kind byte, id, seq uint16, data []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind, 0, 0, 0}, id)
	return append(binary.BigEndian.AppendUint16(b, seq), data...)
}

// echoRequest returns an echo request from the peer, over IP version 4 or 6.
func echoRequest(version int, id, seq uint16, data []byte) spelled {
	s := spelled{src: testPeer[version], dst: testAgent[version], protocol: 1, hops: 64, id: uint32(seq), df: true, body: echoMessage(8, id, seq, data)}
	if version == 6 {
		s.protocol, s.body[0] = 58, 128
	}
	return s
}

// echoReply returns the right answer to an echo request.
func echoReply(request spelled) spelled {
	request.src, request.dst = request.dst, request.src
	request.body = bytes.Clone(request.body)
	request.body[0] = map[byte]byte{1: 0, 58: 129}[request.protocol]
	request.hopByHop, request.options = false, nil
	return request
}

// How a written packet of a stream names the packet that it answers.
const (
	byNumber = iota // explicitly
	byFlow          // by its flow, like session.Session
	byNothing
)

// stream builds the events of a scenario. Its clock is set by hand.
type stream struct {
	now      time.Time
	number   int // of the last packet
	call     int // of the last call
	naming   int
	sockets  bool // the peer's packets come from programs, not injected
	events   []session.Event
	requests []Request
}

func newStream() *stream { return &stream{now: time.Unix(1_800_000_000, 0)} }

func (s *stream) pass(d time.Duration) { s.now = s.now.Add(d) }

// arrive adds packets from the peer, a millisecond apart, and returns their numbers.
func (s *stream) arrive(packets ...[]byte) (numbers []int) {
	for _, data := range packets {
		s.pass(time.Millisecond)
		s.number++
		numbers = append(numbers, s.number)
		s.events = append(s.events, session.Event{Event: session.EventPacket, Number: s.number, Time: s.now,
			Direction: session.Read, Hex: hex.EncodeToString(data), Injected: !s.sockets})
	}
	return numbers
}

// ask adds a request with these packets and returns its index.
func (s *stream) ask(leave bool, packets ...[]byte) int {
	r := Request{N: len(s.requests) + 1, Sent: s.now, Packets: packets, Leave: leave}
	r.Numbers = s.arrive(packets...)
	s.requests = append(s.requests, r)
	return len(s.requests) - 1
}

// during adds a tool call around do. It begins a millisecond before do and ends a
// millisecond after.
func (s *stream) during(tool string, do func()) {
	s.call++
	call, began := s.call, s.now
	s.pass(time.Millisecond)
	do()
	s.pass(time.Millisecond)
	s.events = append(s.events, session.Event{Event: session.EventCall, Call: call, Tool: tool, Began: began, Time: s.now, CharsIn: 10, CharsOut: 100})
	for i := range s.events {
		if e := &s.events[i]; e.Call == call && e.Direction == session.Write {
			e.Began = began
		}
	}
}

// read delivers every packet that has arrived to the agent, in one call.
func (s *stream) read() {
	seen := make(map[int]bool)
	for _, e := range s.events {
		if e.Event == session.EventDelivered || e.Event == session.EventDropped {
			seen[e.Number] = true
		}
	}
	s.during("read_packet", func() {
		for _, e := range s.events {
			if e.Event == session.EventPacket && e.Direction == session.Read && !seen[e.Number] {
				s.events = append(s.events, session.Event{Event: session.EventDelivered, Number: e.Number, Time: s.now, Call: s.call})
			}
		}
	})
}

// write adds packets from the agent, written in one call. s.naming says how they name the
// packet that they answer.
func (s *stream) write(replyTo int, packets ...[]byte) {
	s.during("write_packet", func() {
		for _, data := range packets {
			s.number++
			e := session.Event{Event: session.EventPacket, Number: s.number, Time: s.now, Direction: session.Write,
				Hex: hex.EncodeToString(data), Call: s.call}
			switch s.naming {
			case byNumber:
				e.ReplyTo = replyTo
			case byFlow:
				e.ReplyTo = s.byFlow(data)
			}
			s.events = append(s.events, e)
		}
	})
}

func (s *stream) byFlow(data []byte) (number int) {
	wanted, ok := packet.AnswersTo(data)
	if !ok {
		return 0
	}
	for _, e := range s.events {
		if e.Event != session.EventPacket || e.Direction != session.Read {
			continue
		}
		arrived, _ := hex.DecodeString(e.Hex)
		if flow, ok := packet.FlowOf(arrived); ok && flow == wanted {
			number = e.Number
		}
	}
	return number
}

// wantExchanges checks the kinds of fault of each exchange. "" means right.
func wantExchanges(t *testing.T, got []score.Exchange, want ...string) {
	t.Helper()
	checkExchanges(t, got)
	if len(got) != len(want) {
		t.Fatalf("%d exchanges, want %d", len(got), len(want))
	}
	for i, x := range got {
		if kinds := joined(x.Faults); kinds != want[i] {
			t.Errorf("exchange %d: %s %q (%s), want %q", i+1, x.Outcome, kinds, x.Detail, want[i])
		}
	}
}
