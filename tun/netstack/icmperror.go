package netstack

import (
	"encoding/binary"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// An ICMPError is an ICMP or ICMPv6 error message, with fields of the quoted packet (RFC
// 792; RFC 4443, section 3).
type ICMPError struct {
	From       netip.Addr     // the sender: the host, or a router on the path
	Type, Code uint8          // of ICMP, or of ICMPv6 if From is an IPv6 address
	TTL        uint8          // of the error message on arrival; the hop limit in IPv6
	Protocol   uint8          // of the quoted packet: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6
	Src, Dst   netip.AddrPort // of the quoted packet; the ports are zero unless TCP or UDP
	Echo       bool           // whether the quoted packet is an echo request
	ID, Seq    uint16         // of that echo request, otherwise zero
	Data       []byte         // the quoted bytes after the first 8 of the transport header
	Received   time.Time      // when the stack got the packet
}

// quotedHeader is how many bytes of the transport header every error quotes. They
// include the ports of TCP and UDP, or identifier and sequence number of an echo
// request.
const quotedHeader = 8

// parseICMPError parses an incoming packet. ok is false if p is not a faultless ICMP
// error: if it is another packet, has a wrong checksum, is a fragment (errors are
// shorter than any MTU: RFC 1812, section 4.3.2.3, RFC 4443, section 2.4), or quotes too
// little.
func parseICMPError(p []byte) (e ICMPError, ok bool) {
	switch header.IPVersion(p) {
	case header.IPv4Version:
		return parseICMPv4Error(p)
	case header.IPv6Version:
		return parseICMPv6Error(p)
	}
	return e, false
}

func parseICMPv4Error(p []byte) (e ICMPError, ok bool) {
	h := header.IPv4(p)
	if !h.IsValid(len(p)) || !h.IsChecksumValid() || h.More() || h.FragmentOffset() != 0 ||
		h.Protocol() != uint8(header.ICMPv4ProtocolNumber) {
		return e, false
	}
	m := header.ICMPv4(h.Payload())
	if len(m) < header.ICMPv4MinimumSize || checksum.Checksum(m, 0) != 0xffff {
		return e, false
	}
	switch m.Type() {
	case header.ICMPv4DstUnreachable, header.ICMPv4TimeExceeded, header.ICMPv4ParamProblem:
	default:
		return e, false
	}
	e = ICMPError{From: addr4(h.SourceAddressSlice()), Type: uint8(m.Type()), Code: uint8(m.Code()), TTL: h.TTL()}

	quoted := header.IPv4(m[header.ICMPv4MinimumSize:])
	if len(quoted) < header.IPv4MinimumSize || header.IPVersion(quoted) != header.IPv4Version ||
		int(quoted.HeaderLength()) < header.IPv4MinimumSize || len(quoted) < int(quoted.HeaderLength()) ||
		quoted.FragmentOffset() != 0 {
		return e, false
	}
	e.Protocol = quoted.Protocol()
	return e, e.quote(addr4(quoted.SourceAddressSlice()), addr4(quoted.DestinationAddressSlice()), quoted[quoted.HeaderLength():])
}

func parseICMPv6Error(p []byte) (e ICMPError, ok bool) {
	h := header.IPv6(p)
	if !h.IsValid(len(p)) || h.NextHeader() != uint8(header.ICMPv6ProtocolNumber) {
		return e, false
	}
	m := header.ICMPv6(p[header.IPv6MinimumSize:][:h.PayloadLength()])
	if len(m) < header.ICMPv6MinimumSize {
		return e, false
	}
	if m.Checksum() != header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: h.SourceAddress(), Dst: h.DestinationAddress()}) {
		return e, false
	}
	switch m.Type() {
	case header.ICMPv6DstUnreachable, header.ICMPv6PacketTooBig, header.ICMPv6TimeExceeded, header.ICMPv6ParamProblem:
	default:
		return e, false
	}
	e = ICMPError{From: netip.AddrFrom16(h.SourceAddress().As16()), Type: uint8(m.Type()), Code: uint8(m.Code()), TTL: h.HopLimit()}

	quoted := header.IPv6(m[header.ICMPv6MinimumSize:])
	if len(quoted) < header.IPv6MinimumSize || header.IPVersion(quoted) != header.IPv6Version {
		return e, false
	}
	e.Protocol = quoted.NextHeader()
	rest := quoted[header.IPv6MinimumSize:]
	// This is the only extension header that this stack sends (RFC 8200, section
	// 4.5). Only the first fragment has the transport header.
	if e.Protocol == header.IPv6FragmentHeader && len(rest) >= header.IPv6FragmentHeaderSize {
		if binary.BigEndian.Uint16(rest[2:])>>3 != 0 {
			return e, false
		}
		e.Protocol = rest[0]
		rest = rest[header.IPv6FragmentHeaderSize:]
	}
	return e, e.quote(netip.AddrFrom16(quoted.SourceAddress().As16()), netip.AddrFrom16(quoted.DestinationAddress().As16()), rest)
}

// quote fills in the fields of the quoted packet. transport starts with its transport
// header. quote returns false if that is too short.
func (e *ICMPError) quote(src, dst netip.Addr, transport []byte) bool {
	if len(transport) < quotedHeader {
		return false
	}
	var ports [2]uint16
	switch e.Protocol {
	case uint8(header.TCPProtocolNumber), uint8(header.UDPProtocolNumber):
		ports[0], ports[1] = binary.BigEndian.Uint16(transport), binary.BigEndian.Uint16(transport[2:])
	case uint8(header.ICMPv4ProtocolNumber), uint8(header.ICMPv6ProtocolNumber):
		if t := transport[0]; t != uint8(header.ICMPv4Echo) && t != uint8(header.ICMPv6EchoRequest) {
			break
		}
		e.Echo = true
		e.ID, e.Seq = binary.BigEndian.Uint16(transport[4:]), binary.BigEndian.Uint16(transport[6:])
	}
	e.Src, e.Dst = netip.AddrPortFrom(src, ports[0]), netip.AddrPortFrom(dst, ports[1])
	e.Data = append([]byte(nil), transport[quotedHeader:]...)
	return true
}

// addr4 returns the address in 4 bytes of a header.
func addr4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
