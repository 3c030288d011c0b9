package netstack

import (
	"encoding/binary"
	"net/netip"
)

// sum returns the Internet checksum (RFC 1071). It is implemented here again so that the
// tests do not rely on gVisor's own code.
func sum(parts ...[]byte) uint16 {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	if len(all)%2 != 0 {
		all = append(all, 0)
	}
	var s uint32
	for i := 0; i < len(all); i += 2 {
		s += uint32(binary.BigEndian.Uint16(all[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

// pseudo returns the pseudo-header of a transport checksum (RFC 9293, section 3.1; RFC
// 8200, section 8.1).
func pseudo(src, dst netip.Addr, protocol byte, length int) []byte {
	p := append(src.AsSlice(), dst.AsSlice()...)
	if src.Is6() {
		p = binary.BigEndian.AppendUint32(p, uint32(length))
		return append(p, 0, 0, 0, protocol)
	}
	p = append(p, 0, protocol)
	return binary.BigEndian.AppendUint16(p, uint16(length))
}

// checksumAt is where the checksum of a transport header is.
var checksumAt = map[byte]int{1: 2, 58: 2, 6: 16, 17: 6}

// packet returns an IP packet with its checksums.
func packet(src, dst netip.Addr, protocol byte, transport []byte) []byte {
	transport = append([]byte(nil), transport...)
	if at, ok := checksumAt[protocol]; ok {
		var cover []byte
		if protocol != 1 {
			cover = pseudo(src, dst, protocol, len(transport))
		}
		binary.BigEndian.PutUint16(transport[at:], 0)
		binary.BigEndian.PutUint16(transport[at:], sum(cover, transport))
	}
	if src.Is6() {
		h := []byte{0x60, 0, 0, 0, 0, 0, protocol, 64}
		binary.BigEndian.PutUint16(h[4:], uint16(len(transport)))
		h = append(append(h, src.AsSlice()...), dst.AsSlice()...)
		return append(h, transport...)
	}
	h := []byte{0x45, 0, 0, 0, 0, 7, 0, 0, 64, protocol, 0, 0}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(transport)))
	h = append(append(h, src.AsSlice()...), dst.AsSlice()...)
	binary.BigEndian.PutUint16(h[10:], sum(h))
	return append(h, transport...)
}

// transportOf returns the offset of the transport header in one of our packets, and its
// protocol.
func transportOf(p []byte) (at int, protocol byte) {
	if p[0]>>4 == 6 {
		return 40, p[6]
	}
	return int(p[0]&15) * 4, p[9]
}

// faultless reports whether every checksum of an unfragmented packet is right.
func faultless(p []byte) bool {
	at, protocol := transportOf(p)
	src, _ := netip.AddrFromSlice(p[12:16])
	dst, _ := netip.AddrFromSlice(p[16:20])
	if p[0]>>4 == 6 {
		src, _ = netip.AddrFromSlice(p[8:24])
		dst, _ = netip.AddrFromSlice(p[24:40])
	} else if sum(p[:at]) != 0 {
		return false
	}
	if protocol == 1 {
		return sum(p[at:]) == 0
	}
	return sum(pseudo(src, dst, protocol, len(p)-at), p[at:]) == 0
}

// echo returns an echo request.
func echo(src, dst netip.Addr, id, seq uint16, data []byte) []byte {
	m, protocol := []byte{8, 0, 0, 0}, byte(1)
	if src.Is6() {
		m[0], protocol = 128, 58
	}
	m = binary.BigEndian.AppendUint16(m, id)
	m = binary.BigEndian.AppendUint16(m, seq)
	return packet(src, dst, protocol, append(m, data...))
}

// datagram returns a UDP datagram.
func datagram(src, dst netip.Addr, from, to uint16, data []byte) []byte {
	m := binary.BigEndian.AppendUint16(nil, from)
	m = binary.BigEndian.AppendUint16(m, to)
	m = binary.BigEndian.AppendUint16(m, uint16(8+len(data)))
	return packet(src, dst, 17, append(append(m, 0, 0), data...))
}

// syn returns the first segment of a TCP connection.
func syn(src, dst netip.Addr, from, to uint16) []byte {
	m := binary.BigEndian.AppendUint16(nil, from)
	m = binary.BigEndian.AppendUint16(m, to)
	return packet(src, dst, 6, append(m, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0))
}
