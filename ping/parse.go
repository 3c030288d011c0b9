package ping

import (
	"encoding/binary"
	"slices"
)

// icmpHeader is the header length of every message parsed here, in bytes.
const icmpHeader = 8

// parse parses an ICMP message read from a kernel socket. It returns the
// message and the identifier of the echo request that it is about, or false if
// it is neither an echo reply nor an error about an echo request. The kernel
// checks ICMPv6 checksums.
func parse(b []byte, is6 bool) (m Message, id uint16, ok bool) {
	if len(b) < icmpHeader {
		return m, 0, false
	}
	m.Type, m.Code = int(b[0]), int(b[1])
	m.BadChecksum = !is6 && sum(b) != 0xffff
	if !is6 && m.Type == typeEchoReply || is6 && m.Type == typeEchoReply6 {
		m.Seq, m.Data = binary.BigEndian.Uint16(b[6:]), slices.Clone(b[icmpHeader:])
		return m, binary.BigEndian.Uint16(b[4:]), true
	}
	request, known := quoted4(b[icmpHeader:])
	if is6 {
		request, known = quoted6(b[icmpHeader:])
	}
	if !known || m.BadChecksum {
		return m, 0, false
	}
	switch { // RFC 1191 section 4, RFC 4443 section 3.2
	case !is6 && m.Type == 3 && m.Code == 4:
		m.MTU = int(binary.BigEndian.Uint16(b[6:]))
	case is6 && m.Type == 2:
		m.MTU = int(binary.BigEndian.Uint32(b[4:]))
	}
	m.Seq = binary.BigEndian.Uint16(request[6:])
	return m, binary.BigEndian.Uint16(request[4:]), true
}

// quoted4 returns the echo request that an ICMP error quotes.
func quoted4(b []byte) (request []byte, ok bool) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != 1 {
		return nil, false
	}
	header := int(b[0]&15) * 4
	if header < 20 || len(b) < header+icmpHeader || b[header] != 8 {
		return nil, false
	}
	return b[header:], true
}

// quoted6 is quoted4 for ICMPv6; the request may be a first fragment.
func quoted6(b []byte) (request []byte, ok bool) {
	if len(b) < 40 || b[0]>>4 != 6 {
		return nil, false
	}
	next, b := b[6], b[40:]
	if next == 44 && len(b) >= 8 {
		next, b = b[0], b[8:]
	}
	if next != 58 || len(b) < icmpHeader || b[0] != 128 {
		return nil, false
	}
	return b, true
}

// sum is the ones' complement sum of b: 0xffff if the checksum in it is right.
func sum(b []byte) uint32 {
	var s uint32
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 == 1 {
		s += uint32(b[len(b)-1]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return s
}
