package packet

import "encoding/binary"

// Lengths of headers, in bytes.
const (
	ipv4Min     = 20
	ipv6Len     = 40
	fragmentLen = 8 // IPv6 fragment header
	udpLen      = 8
	tcpMin      = 20
)

// IP protocol numbers, also used as IPv6 next header values.
const (
	protoHopByHop    = 0
	protoICMP        = 1
	protoIPv4        = 4 // IPv4 inside IP, RFC 2003
	protoTCP         = 6
	protoUDP         = 17
	protoIPv6        = 41 // IPv6 inside IP, RFC 4213
	protoRouting     = 43
	protoFragment    = 44
	protoAH          = 51
	protoICMPv6      = 58
	protoNone        = 59
	protoDestOptions = 60
)

// kind is the transport protocol of a packet, if this package knows it.
type kind uint8

const (
	kindOther kind = iota
	kindICMP
	kindICMPv6
	kindUDP
	kindTCP
)

// layer returns the name of a kind in summaries and faults.
func (k kind) layer() string {
	return [...]string{"IP", "ICMP", "ICMPv6", "UDP", "TCP"}[k]
}

// view is a packet with the offsets of its headers, checked against its length. All
// code that looks into a packet uses a view.
type view struct {
	b       []byte
	version int // 4 or 6; 0 means not an IP packet, or too short to hold its addresses
	hdr     int // length of the IP header, without IPv6 extensions; 0 means damaged
	stated  int // length of the whole packet according to the IP header
	end     int // where the packet ends: len(b), or earlier in a quoted packet
	proto   uint8
	kind    kind
	up      int // offset of the bytes after the IP headers; valid if hdr is not 0

	frag    bool // whether it is one of several fragments, so not for an atomic one (RFC 6946)
	more    bool // whether more fragments follow
	fragOff int  // in bytes
	fragID  uint32
	fragAt  int // offset of the fragment's data

	exts     [maxExtensions]extension // IPv6 extension headers
	nexts    int
	src      int // offset of the source address for the pseudo-header
	finalDst int // and of the destination address

	bad Fault // the fault that stopped parse; Field is "" if there was none
}

func (v *view) u16(at int) uint16 { return binary.BigEndian.Uint16(v.b[at:]) }
func (v *view) u32(at int) uint32 { return binary.BigEndian.Uint32(v.b[at:]) }

// parse finds the headers of a packet. The packet ends where b ends, whatever its
// length field states, so that check and fix agree on every length and checksum.
func parse(b []byte) view {
	v := view{b: b, end: len(b)}
	v.parse()
	if v.hdr > 0 && v.bad.Field == "" && !v.frag {
		v.bad = v.transportDamage()
	}
	return v
}

// parseCut finds the headers of a packet that may be cut off after its IP headers.
func parseCut(b []byte) view {
	v := view{b: b, end: len(b)}
	v.parse()
	return v
}

// parseQuoted finds the headers of a packet that an ICMP error quotes. It may be cut
// off anywhere after its IP header.
func parseQuoted(b []byte) view {
	v := parseCut(b)
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

// kindOf returns the transport protocol. ICMP over IPv6 and ICMPv6 over IPv4 count as
// unknown.
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
	v.src, v.finalDst = 12, 16
	v.eachSourceRoute(v.findFinalHop)
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
	v.src, v.finalDst = 8, 24
	if len(v.b) > ipv6Len+MaxLen {
		v.bad = Fault{"IPv6", "size", 0, uint64(len(v.b)), ipv6Len + MaxLen, AtMost}
		return
	}
	v.hdr, v.up = ipv6Len, ipv6Len
	v.walkExtensions()
}

// transportDamage returns the fault of a transport header that is too short to parse,
// or the zero Fault.
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
