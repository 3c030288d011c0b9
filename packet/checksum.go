package packet

import "encoding/binary"

// sum adds b to acc as 16-bit words, padding an odd last byte with zero. The result
// is the Internet checksum of RFC 1071 before folding. Each step adds eight bytes
// as two 32-bit words, which gives the same since 2^16 is 1 modulo 2^16-1. acc
// cannot overflow with less than 16 GiB.
func sum(b []byte, acc uint64) uint64 {
	for len(b) >= 8 {
		v := binary.BigEndian.Uint64(b)
		acc += v>>32 + v&0xffffffff
		b = b[8:]
	}
	if len(b) >= 4 {
		acc += uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		acc += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		acc += uint64(b[0]) << 8
	}
	return acc
}

// checksum folds acc to 16 bits with end-around carry and complements it.
func checksum(acc uint64) uint16 {
	for acc > 0xffff {
		acc = acc>>16 + acc&0xffff
	}
	return ^uint16(acc)
}

// Checksum returns the Internet checksum of b (RFC 1071). An odd last byte is
// padded with zero.
func Checksum(b []byte) uint16 { return checksum(sum(b, 0)) }

// agrees reports whether a receiver that computes want accepts the checksum given.
// In one's complement arithmetic 0xffff and 0x0000 are both zero and sum up to the
// same, and incremental updates can produce 0xffff (RFC 1624 section 3).
func agrees(given, want uint16) bool {
	return given == want || want == 0 && given == 0xffff
}

// headerChecksum returns the IPv4 header checksum as given, and the right one for
// a corrected total length. Call it only if v.hdr is not 0.
func (v *view) headerChecksum() (given, want uint16) {
	h := v.b[:v.hdr]
	acc := sum(h[:2], uint64(len(v.b)))
	acc = sum(h[4:10], acc)
	return v.u16(10), checksum(sum(h[12:], acc))
}

// transportChecksum returns the ICMP, ICMPv6, UDP or TCP checksum as given, the
// right one for corrected lengths, and its offset. ok is false if there is nothing
// to check: a fragment, another protocol, or a short header.
func (v *view) transportChecksum() (given, want uint16, at int, ok bool) {
	if v.kind == kindOther || v.frag || v.bad.Field != "" {
		return 0, 0, 0, false
	}
	if v.kind == kindUDP {
		return v.u16(v.up + 6), v.udpChecksum(v.transportEnd() - v.up), v.up + 6, true
	}
	seg := v.b[v.up:v.end]
	field := 2
	var acc uint64
	switch v.kind {
	case kindTCP:
		field = 16
		acc = v.pseudoHeader(len(seg)) + sum(seg[:16], 0) + sum(seg[18:], 0)
	case kindICMPv6:
		// RFC 4443 section 2.3.
		acc = v.pseudoHeader(len(seg)) + sum(seg[:2], 0) + sum(seg[4:], 0)
	case kindICMP:
		acc = sum(seg[:2], 0) + sum(seg[4:], 0)
	}
	want = checksum(acc)
	return v.u16(v.up + field), want, v.up + field, true
}

// pseudoHeader returns the sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200
// section 8.1) for size bytes of transport. If a source route of IPv4 (RFC 1122
// section 3.2.1.8) or a routing header of IPv6 has hops left, it takes the final
// destination. If there is a home address, it takes that as source.
func (v *view) pseudoHeader(size int) uint64 {
	length := 4
	if v.version == 6 {
		length = 16
	}
	acc := sum(v.b[v.src:v.src+length], uint64(size)+uint64(v.proto))
	return sum(v.b[v.finalDst:v.finalDst+length], acc)
}
