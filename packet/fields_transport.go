package packet

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/google/gopacket/layers"
)

// transport writes the fields of the transport header, as far as the packet has
// them, and the range of the payload.
func (s *sheet) transport(v *view) {
	if v.hdr == 0 {
		return
	}
	size := v.end - v.up
	switch {
	case v.frag && v.fragOff > 0:
		s.payload("data of the fragment", v.up, v.end)
	case v.kind == kindUDP && size >= udpLen:
		s.udp(v)
	case v.kind == kindTCP && size >= tcpMin:
		s.tcp(v)
	case (v.kind == kindICMP || v.kind == kindICMPv6) && size >= v.icmpMin():
		s.icmp(v)
	default:
		s.payload("payload", v.up, v.end)
	}
}

// udp writes the fields of a UDP header (RFC 768).
func (s *sheet) udp(v *view) {
	s.title("UDP header", udpLen)
	s.field(v.up, 2, "source port", "%s", portName(v.kind, v.u16(v.up)))
	s.field(v.up+2, 2, "destination port", "%s", portName(v.kind, v.u16(v.up+2)))
	s.field(v.up+4, 2, "length", "%d", v.u16(v.up+4))
	s.field(v.up+6, 2, "checksum", "0x%04x", v.u16(v.up+6))
	end := v.transportEnd()
	s.payload("payload", v.up+udpLen, end)
	if end < v.end {
		s.payload("surplus area, after the UDP length (RFC 9868)", end, v.end)
	}
}

// tcp writes the fields of a TCP header (RFC 9293 section 3.1) and its options.
func (s *sheet) tcp(v *view) {
	hdr := max(tcpMin, min(v.tcpHeader(), v.end-v.up))
	s.title("TCP header", hdr)
	s.field(v.up, 2, "source port", "%s", portName(v.kind, v.u16(v.up)))
	s.field(v.up+2, 2, "destination port", "%s", portName(v.kind, v.u16(v.up+2)))
	s.field(v.up+4, 4, "sequence number", "%d, 0x%08x", v.u32(v.up+4), v.u32(v.up+4))
	s.field(v.up+8, 4, "acknowledgment number", "%d, 0x%08x", v.u32(v.up+8), v.u32(v.up+8))
	s.bits(v.up+12, 4, "data offset", "%d words, %d bytes", v.b[v.up+12]>>4, v.tcpHeader())
	s.bits(v.up+12, 4, "reserved", "%d", v.b[v.up+12]&15)
	s.field(v.up+13, 1, "flags", "0x%02x%s", v.b[v.up+13], tcpFlagNames(v.b[v.up+13]))
	s.field(v.up+14, 2, "window", "%d", v.u16(v.up+14))
	s.field(v.up+16, 2, "checksum", "0x%04x", v.u16(v.up+16))
	s.field(v.up+18, 2, "urgent pointer", "%d", v.u16(v.up+18))
	for at, end := v.up+tcpMin, v.up+hdr; at < end; {
		name := tcpOptionName(v.b[at])
		size, fault := optionSize(v.b, at, end)
		if fault.Field != "" {
			s.field(at, end-at, "option", "%s, does not fit", name)
			break
		}
		s.field(at, size, "option", "%s%s", name, tcpOptionValue(v.b[at:at+size]))
		at += size
	}
	s.payload("payload", v.up+hdr, v.end)
}

func tcpFlagNames(flags uint8) string {
	var names strings.Builder
	for bit, name := range tcpFlags {
		if flags>>bit&1 != 0 {
			names.WriteString(name)
		}
	}
	return names.String()
}

// tcpOptionValue decodes the value of a TCP option of RFC 9293, RFC 7323 or RFC
// 2018. option is the whole option, with kind and length.
func tcpOptionValue(option []byte) string {
	switch kind, size := option[0], len(option); {
	case kind == layers.TCPOptionKindMSS && size == 4:
		return fmt.Sprintf(" %d", binary.BigEndian.Uint16(option[2:]))
	case kind == layers.TCPOptionKindWindowScale && size == 3:
		return fmt.Sprintf(" shift %d", option[2])
	case kind == layers.TCPOptionKindTimestamps && size == 10:
		return fmt.Sprintf(" value %d echo reply %d", binary.BigEndian.Uint32(option[2:]), binary.BigEndian.Uint32(option[6:]))
	case kind == layers.TCPOptionKindSACK && size > 2 && size%8 == 2:
		var blocks strings.Builder
		for at := 2; at < size; at += 8 {
			fmt.Fprintf(&blocks, " %d to %d", binary.BigEndian.Uint32(option[at:]), binary.BigEndian.Uint32(option[at+4:]))
		}
		return blocks.String()
	}
	return ""
}

// icmp writes the fields of an ICMP (RFC 792) or ICMPv6 (RFC 4443, RFC 4861)
// message.
func (s *sheet) icmp(v *view) {
	t, code := v.b[v.up], v.b[v.up+1]
	rest := min(v.end, v.up+8)
	s.title(v.kind.layer()+" header", rest-v.up)
	s.field(v.up, 1, "type", "%d (%s)", t, icmpTypeName(v.kind, t))
	meaning := fmt.Sprint(code)
	if name := icmpCodeName(v.kind, t, code); name != "" && !strings.HasPrefix(name, "code ") {
		meaning += " (" + name + ")"
	}
	s.field(v.up+1, 1, "code", "%s", meaning)
	s.field(v.up+2, 2, "checksum", "0x%04x", v.u16(v.up+2))
	switch {
	case v.isEcho():
		s.field(v.up+4, 2, "identifier", "%d, 0x%04x", v.u16(v.up+4), v.u16(v.up+4))
		s.field(v.up+6, 2, "sequence number", "%d", v.u16(v.up+6))
	case v.kind == kindICMP && t == 3 && code == 4: // RFC 1191 section 4
		s.field(v.up+4, 2, "unused", "%d", v.u16(v.up+4))
		s.field(v.up+6, 2, "next-hop MTU", "%d", v.u16(v.up+6))
	case v.kind == kindICMPv6 && t == 2:
		s.field(v.up+4, 4, "MTU", "%d", v.u32(v.up+4))
	case v.kind == kindICMP && t == 5:
		s.field(v.up+4, 4, "gateway address", "%s", addr4(v.b, v.up+4))
	case v.kind == kindICMP && t == 12:
		s.field(v.up+4, 1, "pointer", "%d", v.b[v.up+4])
	case v.kind == kindICMPv6 && t == 4:
		s.field(v.up+4, 4, "pointer", "%d", v.u32(v.up+4))
	case v.end-v.up >= 8:
		s.field(v.up+4, 4, "rest of header", "0x%08x", v.u32(v.up+4))
	}
	if v.hasTarget() {
		s.field(v.up+8, 16, "target address", "%s", addr6(v.b, v.up+8))
		s.neighborOptions(v, v.up+24)
		return
	}
	if q, at, ok := v.quoted(); ok {
		s.field(at, q.end, "quoted packet", "%s", q.appendQuoted(nil))
		return
	}
	s.payload("payload", rest, v.end)
}

// neighborOptions writes the options of neighbor discovery (RFC 4861 section 4.6).
// Their length is in units of eight bytes and must not be 0.
func (s *sheet) neighborOptions(v *view, at int) {
	for at+8 <= v.end {
		size := int(v.b[at+1]) * 8
		if size == 0 || at+size > v.end {
			break
		}
		name := neighborOptionName(v.b[at])
		if t := v.b[at]; (t == 1 || t == 2) && size == 8 {
			name += fmt.Sprintf(" % x", v.b[at+2:at+8])
		}
		s.field(at, size, "option", "%s", name)
		at += size
	}
	s.payload("payload", at, v.end)
}

func neighborOptionName(t uint8) string {
	name := layers.ICMPv6Opt(t).String()
	if strings.HasPrefix(name, "Unknown") {
		return fmt.Sprintf("type %d", t)
	}
	return strings.Replace(words(name), " address", " link-layer address", 1)
}
