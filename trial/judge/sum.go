package judge

import (
	"encoding/binary"
	"net/netip"
)

// The judge has a checksum of its own: judging by package packet would hide an
// error of package packet.

// onesSum adds parts as 16-bit words with end-around carry, RFC 1071 section 1.
// Only the last part may have an odd length; a zero then completes its word.
func onesSum(parts ...[]byte) uint16 {
	var sum uint32
	for _, part := range parts {
		for i, b := range part {
			word := uint32(b)
			if i%2 == 0 {
				word <<= 8
			}
			if sum += word; sum > 0xffff {
				sum -= 0xffff
			}
		}
	}
	return uint16(sum)
}

// addsUp says whether a receiver accepts what contains its own checksum: the
// sum over everything is all ones (RFC 1071 section 1, step 3). Both forms of
// zero are accepted, as they are on the wire.
func addsUp(parts ...[]byte) bool { return onesSum(parts...) == 0xffff }

// checksumAt returns the checksum at offset at of b, an even number, as given
// and as it should be. Pseudo is what is summed beside b.
func checksumAt(b []byte, at int, pseudo []byte) (given, want uint16) {
	return binary.BigEndian.Uint16(b[at:]), ^onesSum(pseudo, b[:at], b[at+2:])
}

// pseudoHeader returns what a transport checksum covers of the IP header: RFC
// 9293 section 3.1 for IPv4, RFC 8200 section 8.1 for IPv6. The length is in
// both forms modulo 65,536, which no packet here exceeds.
func pseudoHeader(src, dst netip.Addr, protocol byte, length int) []byte {
	b := append(src.AsSlice(), dst.AsSlice()...)
	return append(b, 0, protocol, byte(length>>8), byte(length))
}
