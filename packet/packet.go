// Package packet knows what is inside an IP packet: the one-line summary, the
// annotated dump, the check of lengths and checksums, fix, patch, and which
// packet answers which. All of it is pure functions over bytes: no I/O, no
// state, no panic, whatever the bytes are, and nothing that a stranger put
// into a packet leaves it as anything but printable ASCII.
//
// IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200), ICMP (RFC 792),
// ICMPv6 (RFC 4443, RFC 4861), UDP (RFC 768) and TCP (RFC 9293) are known;
// everything else is carried by its protocol number.
//
// parse reads the headers once into a view, a small struct of offsets;
// everything else works on the view and never walks headers by itself.
// google/gopacket serves for the names of types, codes, options, protocols
// and ports; its decoders are not used, since some of them panic on what
// strangers send.
package packet

import "net/netip"

// MaxLen is the length in bytes of the longest packet that this package fills
// in or accepts as hex: what the total length of an IPv4 header can say.
const MaxLen = 65535

// Addresses returns source and destination of an IPv4 or IPv6 packet. ok is
// false if b is neither, or too short to hold both; the rest of the header may
// be damaged.
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
