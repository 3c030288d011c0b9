package judge

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// reply is the echo reply that a request requires.
type reply struct {
	version  int // 4 or 6; 0 if the request cannot be answered
	src, dst netip.Addr
	protocol byte
	body     []byte // without the right checksum
}

// onceEach returns the packets of a request without duplicates, and how many complete
// copies of it there are, at least 1.
func onceEach(r Request) (parts []crossed, copies int) {
	seen := make(map[int]int) // by offset
	for i, data := range r.Packets {
		p := crossed{datagram: readDatagram(data)}
		if i < len(r.Numbers) {
			p.Number = r.Numbers[i]
		}
		if seen[p.offset]++; seen[p.offset] == 1 {
			parts = append(parts, p)
		}
	}
	for _, n := range seen {
		if copies == 0 || n < copies {
			copies = n
		}
	}
	return parts, max(copies, 1)
}

// repeatsAFragment reports whether a fragment of a request came more often than the whole. A
// host puts the request together once, so such a fragment in its answer is a mistake: the
// agent turned each fragment around.
func repeatsAFragment(r Request) bool {
	parts, copies := onceEach(r)
	return len(r.Packets) > len(parts)*copies
}

// replyTo returns the reply to a request: one packet, or all of its fragments.
func replyTo(packets []crossed) reply {
	if len(packets) == 0 {
		return reply{}
	}
	request := answer{packets: packets} // a request is reassembled like an answer
	request.assemble()
	if len(request.body) < 8 {
		return reply{}
	}
	first := request.first()
	// RFC 792 and RFC 4443 section 4.2: swap source and destination, change the type, and
	// keep everything else.
	r := reply{version: first.version, src: first.dst, dst: first.src, protocol: protocolICMP, body: bytes.Clone(request.body)}
	r.body[0], r.body[1] = 0, 0
	if request.protocol == protocolUDP { // RFC 862: swap the ports as well
		r.protocol, r.body = protocolUDP, bytes.Clone(request.body)
		copy(r.body, request.body[2:4])
		copy(r.body[2:], request.body[:2])
		return r
	}
	if first.version == 6 {
		r.protocol, r.body[0] = protocolICMPv6, 129
	}
	return r
}

// compare returns every difference between an answer and the required reply.
func (r *reply) compare(a *answer) (f findings) {
	for i := range a.packets {
		a.packets[i].judgeHeader(&f)
		r.judgeAddresses(&a.packets[i].datagram, &f)
	}
	switch first := a.first(); {
	case r.version == 0 || first.version == 0:
		return f
	case first.version != r.version:
		f.add(score.FaultType, "it is IPv%d, should be IPv%d", first.version, r.version)
		return f
	case a.missing != "":
		f.add(score.FaultLength, "%s", a.missing)
		return f
	}
	_, best := r.compareBest(a)
	return append(f, best...)
}

// compareBest returns the reading of the body with the fewest differences, and these.
func (r *reply) compareBest(a *answer) (best []byte, f findings) {
	best, f = a.body, r.compareBody(a, a.body)
	for _, body := range r.readings(a) {
		if other := r.compareBody(a, body); len(other) < len(f) {
			best, f = body, other
		}
	}
	return best, f
}

// readings returns other ways to read the body of a packet whose header states a wrong
// length, a mistake that judgeHeader has found: cut at the stated length, or, if bytes are
// missing, completed with the right ones.
func (r *reply) readings(a *answer) [][]byte {
	first := a.first()
	stated := first.statedBody()
	switch {
	case first.fragment || stated == len(a.body) || stated < 0:
		return nil
	case stated < len(a.body):
		return [][]byte{a.body[:stated]}
	case stated == len(r.body):
		return [][]byte{append(bytes.Clone(a.body), r.body[len(a.body):]...)}
	}
	return nil
}

// judgeAddresses adds wrong addresses of a packet to f. An answer to a multicast or
// broadcast request may come from any address of the host (RFC 1122 section 3.2.2.6, RFC
// 4443 section 2.2).
func (r *reply) judgeAddresses(d *datagram, f *findings) {
	if d.version != r.version || d.version == 0 {
		return
	}
	group := r.src.IsMulticast() || r.src == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if d.src != r.src && (!group || d.src.IsMulticast()) {
		f.add(score.FaultAddresses, "the source is %s, should be %s", d.src, r.src)
	}
	if d.dst != r.dst {
		f.add(score.FaultAddresses, "the destination is %s, should be %s", d.dst, r.dst)
	}
}

// compareBody returns every difference between the message in body and the required one.
func (r *reply) compareBody(a *answer, body []byte) (f findings) {
	if r.protocol == protocolUDP {
		return r.compareDatagram(a, body)
	}
	if a.protocol != r.protocol {
		f.add(score.FaultType, "the protocol is %d, should be %d", a.protocol, r.protocol)
		if soundTransport(a, body) && (!r.sound(a, body) || r.resembles(a) == 0) {
			return f // a valid packet of another protocol, so nothing else can be compared
		}
	}
	idSeq, data, ok := echoOf(body)
	if !ok {
		f.add(score.FaultLength, "the ICMP message has %d bytes, at least 8 are needed", len(body))
		return f
	}
	if !r.sound(a, body) {
		given, want := checksumAt(body, 2, r.pseudo(a, r.protocol, len(body)))
		f.add(score.FaultTransportChecksum, "the ICMP checksum is 0x%04x, should be 0x%04x", given, want)
	}
	if body[0] != r.body[0] || body[1] != r.body[1] {
		f.add(score.FaultType, "the ICMP type is %d code %d, should be %d code %d", body[0], body[1], r.body[0], r.body[1])
		if quoted := readDatagram(data); quoted.version == r.version && quoted.src == r.dst && quoted.dst == r.src {
			return f // an ICMP error about the request, so it has no identifier and no data
		}
	}
	wantIDSeq, wantData, _ := echoOf(r.body)
	if id, want := idSeq>>16, wantIDSeq>>16; id != want {
		f.add(score.FaultIDSeq, "the identifier is %d, should be %d", id, want)
	}
	if seq, want := idSeq&0xffff, wantIDSeq&0xffff; seq != want {
		f.add(score.FaultIDSeq, "the sequence number is %d, should be %d", seq, want)
	}
	if len(data) != len(wantData) {
		f.add(score.FaultPayload, "%d bytes of data, should be %d", len(data), len(wantData))
	} else if i := firstDifference(data, wantData); i >= 0 {
		f.add(score.FaultPayload, "byte %d of the data is 0x%02x, should be 0x%02x", i, data[i], wantData[i])
	}
	return f
}

// sound reports whether the ICMP checksum fits what was written. The pseudo-header of IPv6
// may have the wrong or the right length and protocol, because a wrong one in the IP
// header is a separate mistake.
func (r *reply) sound(a *answer, body []byte) bool {
	if r.version == 4 {
		return addsUp(body)
	}
	for _, length := range []int{len(body), len(a.body), max(a.first().statedBody(), 0)} {
		if addsUp(r.pseudo(a, r.protocol, length), body) || addsUp(r.pseudo(a, a.protocol, length), body) {
			return true
		}
	}
	return false
}

func (r *reply) pseudo(a *answer, protocol byte, length int) []byte {
	if r.version == 4 {
		return nil // the checksum of ICMP covers only the message
	}
	return pseudoHeader(a.first().src, a.first().dst, protocol, length)
}

// soundTransport reports whether body is a UDP or TCP message with a right checksum.
func soundTransport(a *answer, body []byte) bool {
	at := transportChecksumAt(a.protocol, a.first().version)
	return (a.protocol == protocolUDP || a.protocol == protocolTCP) && len(body) >= 8 && len(body) >= at+2 &&
		(a.protocol == protocolUDP && binary.BigEndian.Uint16(body[at:]) == 0 ||
			addsUp(pseudoHeader(a.first().src, a.first().dst, a.protocol, len(body)), body))
}

func firstDifference(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}
