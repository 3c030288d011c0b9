package packet

import "encoding/binary"

// sum adds b as 16-bit words, an odd last byte padded with a zero, to acc:
// the Internet checksum of RFC 1071 before folding. It takes eight bytes a
// step as two 32-bit words, since 2^16 is 1 modulo 2^16-1; acc cannot
// overflow with less than 16 GiB.
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

// agrees says whether a receiver takes given where want was computed. Both
// forms of zero are one value in one's complement arithmetic: 0xffff in place
// of 0x0000 sums up to the same, and incremental updates arrive at it
// (RFC 1624 section 3).
func agrees(given, want uint16) bool {
	return given == want || want == 0 && given == 0xffff
}

// headerChecksum returns the IPv4 header checksum as given, and as it has to
// be once the total length is right. Call it only if v.hdr is not 0.
func (v *view) headerChecksum() (given, want uint16) {
	h := v.b[:v.hdr]
	acc := sum(h[:2], uint64(len(v.b)))
	acc = sum(h[4:10], acc)
	return v.u16(10), checksum(sum(h[12:], acc))
}

// transportChecksum returns the ICMP, ICMPv6, UDP or TCP checksum as given
// and as it has to be once the lengths are right, and its offset. ok is false
// where there is none to judge: a fragment, another protocol, a header too
// short.
func (v *view) transportChecksum() (given, want uint16, at int, ok bool) {
	if v.kind == kindOther || v.frag || v.bad.Field != "" {
		return 0, 0, 0, false
	}
	seg := v.b[v.up:v.end]
	field := 2
	var acc uint64
	switch v.kind {
	case kindUDP:
		field = 6
		// Its length field counts, and is taken as right.
		acc = v.pseudoHeader() + sum(seg[:4], 0) + uint64(len(seg)) + sum(seg[8:], 0)
	case kindTCP:
		field = 16
		acc = v.pseudoHeader() + sum(seg[:16], 0) + sum(seg[18:], 0)
	case kindICMPv6:
		// RFC 4443 section 2.3.
		acc = v.pseudoHeader() + sum(seg[:2], 0) + sum(seg[4:], 0)
	case kindICMP:
		acc = sum(seg[:2], 0) + sum(seg[4:], 0)
	}
	want = checksum(acc)
	if v.kind == kindUDP && want == 0 {
		want = 0xffff // 0 means that there is none (RFC 768)
	}
	return v.u16(v.up + field), want, v.up + field, true
}

// pseudoHeader sums the pseudo-header of RFC 9293 section 3.1 or RFC 8200
// section 8.1. The destination is the final one where a routing header of
// IPv6 still has segments left; source routes in IPv4 options are not
// followed, the destination is then the header's, as hosts do it.
func (v *view) pseudoHeader() uint64 {
	acc := uint64(v.end-v.up) + uint64(v.proto)
	if v.version == 4 {
		return sum(v.b[12:20], acc)
	}
	acc = sum(v.b[8:24], acc)
	return sum(v.b[v.finalDst:v.finalDst+16], acc)
}
