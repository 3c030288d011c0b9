package judge

import (
	"encoding/binary"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// judgePacket adds everything that is wrong in a written packet of any protocol, whatever
// it should say, to f: lengths, checksums and the IP header. In fragments it checks only
// the IP header.
func judgePacket(d *datagram, f *findings) {
	d.judgeHeader(f)
	if d.broken != "" || d.fragment {
		return
	}
	// If the IP header states a wrong length, judgeHeader has found that. The transport
	// is right if it is right for either length.
	best := judgeTransport(d, d.body)
	if stated := d.statedBody(); stated >= 0 && stated < len(d.body) {
		if other := judgeTransport(d, d.body[:stated]); len(other) < len(best) {
			best = other
		}
	}
	f.join(best)
}

// transportNames has the protocols whose checksum the judge knows.
var transportNames = map[byte]string{protocolICMP: "ICMP", protocolTCP: "TCP", protocolUDP: "UDP", protocolICMPv6: "ICMPv6"}

// transportChecksumAt returns the offset of the checksum in a message, or -1 if the judge
// knows none for the protocol. ICMP counts only over IPv4, ICMPv6 only over IPv6.
func transportChecksumAt(protocol byte, version int) int {
	switch {
	case protocol == protocolTCP:
		return 16
	case protocol == protocolUDP:
		return 6
	case protocol == protocolICMP && version == 4, protocol == protocolICMPv6 && version == 6:
		return 2
	}
	return -1
}

func judgeTransport(d *datagram, body []byte) (f findings) {
	at := transportChecksumAt(d.protocol, d.version)
	if at < 0 {
		return nil
	}
	name, least := transportNames[d.protocol], 8 // RFC 768, RFC 792
	switch d.protocol {
	case protocolTCP:
		least = 20 // RFC 9293 section 3.1
	case protocolICMPv6:
		least = 4 // RFC 4443 section 2.1
	}
	if len(body) < least {
		f.add(score.FaultLength, "the %s message has %d bytes, at least %d are needed", name, len(body), least)
		return f
	}
	if d.protocol == protocolUDP {
		body = withoutSurplus(d, body)
	}
	righted := body
	switch {
	case d.protocol == protocolTCP:
		if header := int(body[12]>>4) * 4; header < 20 || header > len(body) {
			f.add(score.FaultLength, "the TCP data offset is %d bytes, the segment has %d", header, len(body))
		} else if odd := oddOption(body[20:header], 4); odd != "" {
			f.add(score.FaultLength, "TCP %s", odd)
		}
	case d.protocol == protocolUDP:
		if length := int(binary.BigEndian.Uint16(body[4:])); length != len(body) {
			f.add(score.FaultLength, "the UDP length is %d, the datagram has %d bytes", length, len(body))
			righted = append([]byte(nil), body...)
			binary.BigEndian.PutUint16(righted[4:], uint16(len(body)))
		}
		if d.version == 4 && body[6] == 0 && body[7] == 0 {
			return f // no checksum (RFC 768)
		}
		if d.version == 6 && body[6] == 0 && body[7] == 0 { // RFC 8200 section 8.1
			f.add(score.FaultTransportChecksum, "the UDP checksum is 0, which means none; IPv6 requires one")
			return f
		}
	}
	if !soundMessage(d, body) && !soundMessage(d, righted) {
		given, want := checksumAt(righted, at, pseudoOf(d, len(body)))
		if want == 0 && d.protocol == protocolUDP {
			want = 0xffff
		}
		f.add(score.FaultTransportChecksum, "the %s checksum is 0x%04x, should be 0x%04x", name, given, want)
	}
	return f
}

// withoutSurplus returns body cut to the UDP length, if a receiver would accept that: an
// IP packet may have more data after the datagram (RFC 768; RFC 9868 calls it surplus). If
// the checksum covers all of body, the length is the mistake and body stays whole.
func withoutSurplus(d *datagram, body []byte) []byte {
	length := int(binary.BigEndian.Uint16(body[4:]))
	if length < 8 || length >= len(body) {
		return body
	}
	none := d.version == 4 && body[6] == 0 && body[7] == 0
	if none || addsUp(pseudoOf(d, length), body[:length]) {
		return body[:length]
	}
	return body
}

// soundMessage reports whether the checksum of a message is right. The pseudo-header may
// have the real length or any stated one, because a wrong length is a separate mistake.
func soundMessage(d *datagram, body []byte) bool {
	lengths := []int{len(body), len(d.body), max(d.statedBody(), 0)}
	if d.protocol == protocolUDP {
		lengths = append(lengths, int(binary.BigEndian.Uint16(body[4:])))
	}
	for _, length := range lengths {
		if addsUp(pseudoOf(d, length), body) {
			return true
		}
	}
	return false
}

func pseudoOf(d *datagram, length int) []byte {
	if d.protocol == protocolICMP {
		return nil // its checksum covers only the message
	}
	return pseudoHeader(d.src, d.dst, d.protocol, length)
}
