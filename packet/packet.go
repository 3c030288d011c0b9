// Package packet interprets IP packets. It makes one-line summaries and annotated
// dumps, checks and fixes lengths and checksums, patches bytes, and finds out which
// packet answers which. Its functions are pure: they have no I/O and no state. They
// never panic and print only ASCII, whatever bytes a stranger sends.
//
// It knows IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200), ICMP (RFC
// 792), ICMPv6 (RFC 4443, RFC 4861), UDP (RFC 768) and TCP (RFC 9293). Other
// protocols appear by number.
//
// parse reads the headers once into a view, a small struct of offsets. All else
// works on the view and never walks headers itself. google/gopacket provides the
// names of types, codes, options, protocols and ports. Its decoders are not used,
// since some of them panic on hostile input.
package packet

import "net/netip"

// MaxLen is the longest packet that this package fixes or accepts as hex, in bytes.
// It is the largest total length in an IPv4 header.
const MaxLen = 65535

// Addresses returns source and destination of an IPv4 or IPv6 packet. ok is false if
// b is neither or too short to hold both. The rest of the header may be damaged.
func Addresses(b []byte) (src, dst netip.Addr, ok bool) {
	if len(b) == 0 {
		return src, dst, false
	}
	switch b[0] >> 4 {
	case 4:
		if len(b) >= ipv4Min {
			return addr4(b, 12), addr4(b, 16), true
		}
	case 6:
		if len(b) >= ipv6Len {
			return addr6(b, 8), addr6(b, 24), true
		}
	}
	return src, dst, false
}

func addr4(b []byte, at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
func addr6(b []byte, at int) netip.Addr { return netip.AddrFrom16([16]byte(b[at : at+16])) }
