package packet

import "encoding/binary"

// Lengths of headers, in bytes.
const (
	ipv4Min     = 20
	ipv6Len     = 40
	fragmentLen = 8 // the fragment header of IPv6
	udpLen      = 8
	tcpMin      = 20
)

// IP protocol numbers, which are IPv6 next header values as well.
const (
	protoHopByHop    = 0
	protoICMP        = 1
	protoTCP         = 6
	protoUDP         = 17
	protoRouting     = 43
	protoFragment    = 44
	protoAH          = 51
	protoICMPv6      = 58
	protoNone        = 59
	protoDestOptions = 60
)

// kind is the transport that a packet carries, as far as this package knows it.
type kind uint8

const (
	kindOther kind = iota
	kindICMP
	kindICMPv6
	kindUDP
	kindTCP
)

// layer is the name of a kind in summaries and faults.
func (k kind) layer() string {
	return [...]string{"IP", "ICMP", "ICMPv6", "UDP", "TCP"}[k]
}

// view is a packet with its headers found: offsets that have been checked
// against the bytes. Everything that looks into a packet looks through it.
type view struct {
	b       []byte
	version int // 4 or 6; 0: no IP packet, or too short to hold its addresses
	hdr     int // length of the IP header, IPv6 without extensions; 0: its length is damaged
	stated  int // length of the whole packet as the IP header states it
	end     int // where the packet ends: len(b), or earlier in a quoted packet
	proto   uint8
	kind    kind
	up      int // offset of what follows the IP headers; valid if hdr is not 0

	frag    bool // one of several fragments; an atomic one (RFC 6946) is none
	more    bool // more fragments follow
	fragOff int  // in bytes
	fragID  uint32
	fragAt  int // offset of what the fragment carries

	exts     [maxExtensions]extension // IPv6 extension headers
	nexts    int
	finalDst int // offset of the IPv6 address for the pseudo-header

	bad Fault // what kept parse from going on; Field is empty if nothing did
}

func (v *view) u16(at int) uint16 { return binary.BigEndian.Uint16(v.b[at:]) }
func (v *view) u32(at int) uint32 { return binary.BigEndian.Uint32(v.b[at:]) }

// parse finds the headers of a packet. It takes the bytes, not the total or
// payload length, for where the packet ends: check and fix then agree on what
// every length and checksum should be.
func parse(b []byte) view {
	v := view{b: b, end: len(b)}
	v.parse()
	if v.hdr > 0 && v.bad.Field == "" && !v.frag {
		v.bad = v.transportDamage()
	}
	return v
}

// parseQuoted finds the headers of a packet quoted inside an ICMP error, which
// may be cut off anywhere behind its IP header.
func parseQuoted(b []byte) view {
	v := view{b: b, end: len(b)}
	v.parse()
	if v.hdr > 0 {
		v.end = max(v.up, min(v.end, v.stated))
	}
	return v
}

func (v *view) parse() {
	if len(v.b) == 0 {
		v.bad = Fault{"IP", "size", 0, 0, ipv4Min, AtLeast}
		return
	}
	switch version := v.b[0] >> 4; version {
	case 4:
		v.parseIPv4()
	case 6:
		v.parseIPv6()
	default:
		v.bad = Fault{"IP", "version", 0, uint64(version), 4, Exactly}
	}
	if v.hdr > 0 && v.fragOff == 0 && v.bad.Field == "" {
		v.kind = v.kindOf()
	}
}

// kindOf names the transport. ICMP belongs to IPv4 and ICMPv6 to IPv6: the
// other way round they are protocols like any unknown one.
func (v *view) kindOf() kind {
	switch {
	case v.proto == protoTCP:
		return kindTCP
	case v.proto == protoUDP:
		return kindUDP
	case v.proto == protoICMP && v.version == 4:
		return kindICMP
	case v.proto == protoICMPv6 && v.version == 6:
		return kindICMPv6
	}
	return kindOther
}

func (v *view) parseIPv4() {
	b := v.b
	if len(b) < ipv4Min {
		v.bad = Fault{"IPv4", "size", 0, uint64(len(b)), ipv4Min, AtLeast}
		return
	}
	v.version = 4
	v.stated = int(v.u16(2))
	v.proto = b[9]
	switch hdr := int(b[0]&0x0f) * 4; {
	case hdr < ipv4Min:
		v.bad = Fault{"IPv4", "header length", 0, uint64(hdr), ipv4Min, AtLeast}
		return
	case hdr > len(b):
		v.bad = Fault{"IPv4", "header length", 0, uint64(hdr), uint64(len(b)), AtMost}
		return
	case len(b) > MaxLen:
		v.bad = Fault{"IPv4", "size", 0, uint64(len(b)), MaxLen, AtMost}
		return
	default:
		v.hdr, v.up, v.fragAt = hdr, hdr, hdr
	}
	bits := v.u16(6)
	v.more = bits&0x2000 != 0
	v.fragOff = int(bits&0x1fff) * 8
	v.frag = v.more || v.fragOff > 0
	v.fragID = uint32(v.u16(4))
}

func (v *view) parseIPv6() {
	if len(v.b) < ipv6Len {
		v.bad = Fault{"IPv6", "size", 0, uint64(len(v.b)), ipv6Len, AtLeast}
		return
	}
	v.version = 6
	v.stated = ipv6Len + int(v.u16(4))
	v.proto = v.b[6]
	v.finalDst = 24
	if len(v.b) > ipv6Len+MaxLen {
		v.bad = Fault{"IPv6", "size", 0, uint64(len(v.b)), ipv6Len + MaxLen, AtMost}
		return
	}
	v.hdr, v.up = ipv6Len, ipv6Len
	v.walkExtensions()
}

// transportDamage says what in the transport header is too short to go on.
func (v *view) transportDamage() Fault {
	size := v.end - v.up
	least := 0
	switch v.kind {
	case kindOther:
		return Fault{}
	case kindUDP:
		least = udpLen
	case kindTCP:
		least = tcpMin
	default:
		least = v.icmpMin()
	}
	layer := v.kind.layer()
	if size < least {
		return Fault{layer, "size", v.up, uint64(size), uint64(least), AtLeast}
	}
	if v.kind == kindTCP {
		switch hdr := v.tcpHeader(); {
		case hdr < tcpMin:
			return Fault{layer, "data offset", v.up + 12, uint64(hdr), tcpMin, AtLeast}
		case hdr > size:
			return Fault{layer, "data offset", v.up + 12, uint64(hdr), uint64(size), AtMost}
		}
	}
	return Fault{}
}
