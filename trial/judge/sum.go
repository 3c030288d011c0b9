package judge

import (
	"encoding/binary"
	"net/netip"
)

// The judge has its own checksum code, because that of package packet would hide errors in
// package packet.

// onesSum adds parts as 16-bit words with end-around carry (RFC 1071 section 1). Only the
// last part may have an odd length; its last word is completed with a zero.
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

// addsUp reports whether a receiver accepts parts that include their own checksum: the sum
// over everything is all ones (RFC 1071 section 1, step 3). It accepts both forms of zero,
// like a receiver.
func addsUp(parts ...[]byte) bool { return onesSum(parts...) == 0xffff }

// checksumAt returns the checksum at offset at of b, which must be even, and what it should
// be. Pseudo is the pseudo-header, or nil.
func checksumAt(b []byte, at int, pseudo []byte) (given, want uint16) {
	return binary.BigEndian.Uint16(b[at:]), ^onesSum(pseudo, b[:at], b[at+2:])
}

// pseudoHeader returns the pseudo-header of a transport checksum (RFC 9293 section 3.1 for
// IPv4, RFC 8200 section 8.1 for IPv6). It has only the low 16 bits of the length, which
// no packet here exceeds.
func pseudoHeader(src, dst netip.Addr, protocol byte, length int) []byte {
	b := append(src.AsSlice(), dst.AsSlice()...)
	return append(b, 0, protocol, byte(length>>8), byte(length))
}
