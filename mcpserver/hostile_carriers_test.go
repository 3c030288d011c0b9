package mcpserver

import (
	"fmt"
	"slices"
)

// udp carries a text as the payload of a datagram to a port.
func udp(port uint16) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build(fmt.Sprintf("45000000 00004000 40110000"+toAgent+"3039 %04x 0000 0000", port), text)}
	}
}

// tcp carries it as the payload of a segment.
func tcp(port uint16) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build(fmt.Sprintf("45000000 00004000 40060000"+toAgent+"3039 %04x 00000001 00000001 5018 ffff 0000 0000", port), text)}
	}
}

// icmp carries it behind eight bytes of an ICMP message.
func icmp(head string) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build("45000000 00004000 40010000"+toAgent+head, text)}
	}
}

// quoting is port unreachable, with the datagram that it is about.
func quoting(text []byte) [][]byte {
	return icmp("03030000 00000000")(udp(7)(text)[0])
}

// ipv4Options has an option of an unknown type that is filled with the text.
func ipv4Options(text []byte) [][]byte {
	size := 2 + len(text) + (2-len(text))&3
	option := slices.Concat([]byte{0x9e, byte(2 + len(text))}, text, make([]byte, size-2-len(text)))
	head := fmt.Sprintf("%02x000000 00004000 40110000"+toAgent+"%x 3039 0007 0000 0000", 0x40|(20+size)/4, option)
	return [][]byte{build(head, nil)}
}

// tcpOptions has one with an experiment's kind (RFC 6994).
func tcpOptions(text []byte) [][]byte {
	size := 2 + len(text) + (2-len(text))&3
	option := slices.Concat([]byte{253, byte(2 + len(text))}, text, make([]byte, size-2-len(text)))
	head := fmt.Sprintf("45000000 00004000 40060000"+toAgent+"3039 0050 00000001 00000000 %02x02 ffff 0000 0000 %x", (20+size)/4<<4, option)
	return [][]byte{build(head, nil)}
}

// hopByHop has an option of an unknown type before a datagram.
func hopByHop(text []byte) [][]byte {
	size := (4 + len(text) + 7) / 8 * 8
	pad := make([]byte, size-4-len(text))
	head := fmt.Sprintf("60000000 0000 00 40"+toAgent6+"11 %02x 1e %02x %x %x 3039 0007 0000 0000", size/8-1, len(text), text, pad)
	return [][]byte{build(head, nil)}
}

// routing is a routing header before a protocol that has no name.
func routing(text []byte) [][]byte {
	return [][]byte{build("60000000 0000 2b 40"+toAgent6+"fd 00 04 00 00000000", text)}
}

// addresses writes the text, eight bytes, where source and destination stand.
func inAddresses(text []byte) [][]byte {
	return [][]byte{build(fmt.Sprintf("45000000 00004000 40110000 %x 3039 0007 0000 0000", text), nil)}
}

// fragments cuts a datagram in three.
func fragments(text []byte) [][]byte {
	whole := udp(7)(text)[0]
	third := (len(whole) - 20) / 3 &^ 7
	var all [][]byte
	for i, at := range []int{0, third, 2 * third} {
		end, more := at+third, 0x20
		if i == 2 {
			end, more = len(whole)-20, 0
		}
		all = append(all, build(fmt.Sprintf("45000000 1234 %02x%02x 40110000"+toAgent, more|at/8>>8, at/8&0xff), whole[20+at:20+end]))
	}
	return all
}

// fragments6 cuts a text in two, without a header that could be known.
func fragments6(text []byte) [][]byte {
	half := len(text) / 2 &^ 7
	return [][]byte{
		build("60000000 0000 2c 40"+toAgent6+"11 00 0001 00001234 3039 0007 00ff 0000", text[:half]),
		build(fmt.Sprintf("60000000 0000 2c 40"+toAgent6+"11 00 %04x 00001234", half+8), text[half:]),
	}
}

// wrongChecksum is what a check refuses.
func wrongChecksum(text []byte) [][]byte {
	p := udp(7)(text)[0]
	p[10] ^= 0x55
	p[26] ^= 0x55
	return [][]byte{p}
}

// wrongLengths claims more than there is, in both headers.
func wrongLengths(text []byte) [][]byte {
	p := udp(7)(text)[0]
	p[2], p[24] = 0x7f, 0x7f
	return [][]byte{p}
}

// bare is the text alone, which is no packet, behind a byte that makes it
// neither version 4 nor 6.
func bare(text []byte) [][]byte { return [][]byte{append([]byte{0x0a}, text...)} }

// bytesOf is a packet as hex.
func bytesOf(data []byte) string { return fmt.Sprintf("%x", data) }
