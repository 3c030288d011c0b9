package packet

import (
	"encoding/binary"
	"slices"
)

// Link types of capture files (draft-ietf-opsawg-pcaplinktype).
const (
	linkNull     = 0   // BSD loopback: 4 bytes of address family, in the byte order of the capturing machine
	linkEthernet = 1   //
	linkRawBSD   = 12  // raw IP on some systems
	linkRawBSD2  = 14  //
	linkLoop     = 108 // OpenBSD loopback
	linkCooked   = 113 // Linux cooked capture
	linkIPv4     = 228 //
	linkIPv6     = 229 //
	linkCooked2  = 276 // Linux cooked capture, version 2
)

// linkNames lists the supported link types, for errors.
const linkNames = "raw IP, Ethernet, Linux cooked and loopback"

// linkName returns the name of a link type, or "" if it is not supported.
func linkName(link uint32) string {
	switch link {
	case linkTypeRaw, linkRawBSD, linkRawBSD2, linkIPv4, linkIPv6:
		return "raw IP"
	case linkEthernet:
		return "Ethernet"
	case linkCooked, linkCooked2:
		return "Linux cooked"
	case linkNull, linkLoop:
		return "loopback"
	}
	return ""
}

// EtherTypes of IP packets, and of VLAN tags before them.
var (
	etherIP   = []uint16{0x0800, 0x86dd}
	etherTags = []uint16{0x8100, 0x88a8, 0x9100} // IEEE 802.1Q, 802.1ad and its predecessor
)

// unframe returns the IP packet inside a frame. ok is false if there is none.
func unframe(b []byte, link uint32) (ip []byte, ok bool) {
	switch linkName(link) {
	case "raw IP":
	case "Ethernet":
		if b, ok = etherPayload(b, 12); !ok {
			return nil, false
		}
	case "Linux cooked":
		if link == linkCooked {
			b, ok = etherPayload(b, 14)
		} else if len(b) >= 20 && slices.Contains(etherIP, binary.BigEndian.Uint16(b)) {
			b, ok = b[20:], true
		}
		if !ok {
			return nil, false
		}
	case "loopback":
		if len(b) < 4 {
			return nil, false
		}
		b = b[4:]
	default:
		return nil, false
	}
	if len(b) == 0 || b[0]>>4 != 4 && b[0]>>4 != 6 {
		return nil, false
	}
	return trimPadding(b), true
}

// etherPayload returns the bytes after the EtherType at offset at and any tags. ok
// is false if they are not IP.
func etherPayload(b []byte, at int) ([]byte, bool) {
	for len(b) >= at+2 {
		kind := binary.BigEndian.Uint16(b[at:])
		if slices.Contains(etherIP, kind) {
			return b[at+2:], true
		}
		if !slices.Contains(etherTags, kind) {
			return nil, false
		}
		at += 4
	}
	return nil, false
}

// trimPadding cuts the bytes after the packet, since Ethernet pads frames to 60
// bytes.
func trimPadding(b []byte) []byte {
	if v := parseQuoted(b); v.hdr > 0 && v.stated >= v.hdr && v.stated < len(b) {
		return b[:v.stated:v.stated]
	}
	return b
}
