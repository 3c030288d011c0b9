package packet

import (
	"fmt"
	"strings"

	"github.com/google/gopacket/layers"
)

// ipv4 writes the fields of an IPv4 header (RFC 791 section 3.1), as far as the
// packet has them.
func (s *sheet) ipv4(v *view) {
	b := v.b
	s.title("IPv4 header", max(v.hdr, ipv4Min))
	s.bits(0, 4, "version", "4")
	s.bits(0, 4, "header length", "%d words, %d bytes", b[0]&15, b[0]&15*4)
	s.bits(1, 6, "DSCP", "%d", b[1]>>2)
	s.bits(1, 2, "ECN", "%d", b[1]&3)
	s.field(2, 2, "total length", "%d", v.u16(2))
	s.field(4, 2, "identification", "0x%04x", v.u16(4))
	flags := layers.IPv4Flag(b[6] >> 5)
	s.bits(6, 3, "flags", "%s", ipv4Flags(flags))
	offset := int(v.u16(6) & 0x1fff)
	s.bits(6, 13, "fragment offset", "%d, byte %d", offset, offset*8)
	s.field(8, 1, "time to live", "%d", b[8])
	s.field(9, 1, "protocol", "%s", appendProtocol(nil, b[9]))
	s.field(10, 2, "header checksum", "0x%04x", v.u16(10))
	s.field(12, 4, "source address", "%s", addr4(b, 12))
	s.field(16, 4, "destination address", "%s", addr4(b, 16))
	for at := ipv4Min; at < v.hdr; {
		size, fault := optionSize(b, at, v.hdr)
		if fault.Field != "" {
			s.field(at, v.hdr-at, "option", "%s, does not fit", ipv4OptionName(b[at]))
			break
		}
		s.field(at, size, "option", "%s", ipv4OptionName(b[at]))
		at += size
	}
	if v.finalDst > 16 {
		s.field(v.finalDst, 4, "final destination", "%s", addr4(b, v.finalDst))
	}
}

func ipv4Flags(flags layers.IPv4Flag) string {
	var names []string
	if flags&layers.IPv4EvilBit != 0 {
		names = append(names, "reserved bit")
	}
	if flags&layers.IPv4DontFragment != 0 {
		names = append(names, "don't fragment (DF)")
	}
	if flags&layers.IPv4MoreFragments != 0 {
		names = append(names, "more fragments (MF)")
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// ipv6 writes the fields of an IPv6 header (RFC 8200 section 3) and of its
// extension headers.
func (s *sheet) ipv6(v *view) {
	b := v.b
	s.title("IPv6 header", ipv6Len)
	s.bits(0, 4, "version", "6")
	s.bits(0, 6, "DSCP", "%d", v.u16(0)>>6&0x3f)
	s.bits(1, 2, "ECN", "%d", b[1]>>4&3)
	s.bits(1, 20, "flow label", "0x%05x", v.u32(0)&0xfffff)
	s.field(4, 2, "payload length", "%d", v.u16(4))
	s.field(6, 1, "next header", "%s", appendProtocol(nil, b[6]))
	s.field(7, 1, "hop limit", "%d", b[7])
	s.field(8, 16, "source address", "%s", addr6(b, 8))
	s.field(24, 16, "destination address", "%s", addr6(b, 24))
	for _, x := range v.exts[:v.nexts] {
		s.extension(v, x)
	}
}

func (s *sheet) extension(v *view, x extension) {
	b := v.b
	s.title("IPv6 "+extensionName(x.proto), x.size)
	s.field(x.off, 1, "next header", "%s", appendProtocol(nil, b[x.off]))
	if x.proto == protoFragment {
		bits := v.u16(x.off + 2)
		s.bits(x.off+2, 13, "fragment offset", "%d, byte %d", bits>>3, bits&^7)
		s.bits(x.off+3, 1, "more fragments (M)", "%d", bits&1)
		s.field(x.off+4, 4, "identification", "0x%08x", v.u32(x.off+4))
		return
	}
	s.field(x.off+1, 1, "header length", "%d, %d bytes", b[x.off+1], x.size)
	switch {
	case x.proto == protoRouting:
		s.field(x.off+2, 1, "routing type", "%d", b[x.off+2])
		s.field(x.off+3, 1, "segments left", "%d", b[x.off+3])
		if v.finalDst > x.off && v.finalDst < x.off+x.size {
			s.field(v.finalDst, 16, "final destination", "%s", addr6(b, v.finalDst))
		}
	case x.proto == protoAH:
		s.field(x.off+4, 4, "SPI", "0x%08x", v.u32(x.off+4))
		s.field(x.off+8, 4, "sequence number", "%d", v.u32(x.off+8))
	case x.options:
		s.ipv6Options(b, x.off+2, x.off+x.size)
		if v.src > x.off && v.src < x.off+x.size {
			s.field(v.src, 16, "home address", "%s", addr6(b, v.src))
		}
	}
}

func (s *sheet) ipv6Options(b []byte, at, end int) {
	for at < end {
		size, fault := ipv6OptionSize(b, at, end)
		if fault.Field != "" {
			s.field(at, end-at, "option", "%s, does not fit", ipv6OptionName(b[at]))
			return
		}
		s.field(at, size, "option", "%s", ipv6OptionName(b[at]))
		at += size
	}
}

// ipv6OptionName returns the name of an IPv6 option: those of RFC 8200 section 4.2
// and three more.
func ipv6OptionName(t uint8) string {
	switch t {
	case 0:
		return "Pad1"
	case 1:
		return "PadN"
	case 5:
		return "router alert" // RFC 2711
	case optionHomeAddress:
		return "home address"
	case 0xc2:
		return "jumbo payload" // RFC 2675
	}
	return fmt.Sprintf("type 0x%02x", t)
}
