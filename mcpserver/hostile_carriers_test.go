package mcpserver

import (
	"fmt"
	"slices"
)

// udp puts text into the payload of a datagram to a port.
func udp(port uint16) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build(fmt.Sprintf("45000000 00004000 40110000"+toAgent+"3039 %04x 0000 0000", port), text)}
	}
}

// tcp puts it into the payload of a segment.
func tcp(port uint16) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build(fmt.Sprintf("45000000 00004000 40060000"+toAgent+"3039 %04x 00000001 00000001 5018 ffff 0000 0000", port), text)}
	}
}

// icmp puts it after the first eight bytes of an ICMP message.
func icmp(head string) func([]byte) [][]byte {
	return func(text []byte) [][]byte {
		return [][]byte{build("45000000 00004000 40010000"+toAgent+head, text)}
	}
}

// quoting is a port unreachable that quotes a datagram with the text.
func quoting(text []byte) [][]byte {
	return icmp("03030000 00000000")(udp(7)(text)[0])
}

// ipv4Options puts it into an IPv4 option of an unknown type.
func ipv4Options(text []byte) [][]byte {
	size := 2 + len(text) + (2-len(text))&3
	option := slices.Concat([]byte{0x9e, byte(2 + len(text))}, text, make([]byte, size-2-len(text)))
	head := fmt.Sprintf("%02x000000 00004000 40110000"+toAgent+"%x 3039 0007 0000 0000", 0x40|(20+size)/4, option)
	return [][]byte{build(head, nil)}
}

// tcpOptions puts it into a TCP option of an experimental kind (RFC 6994).
func tcpOptions(text []byte) [][]byte {
	size := 2 + len(text) + (2-len(text))&3
	option := slices.Concat([]byte{253, byte(2 + len(text))}, text, make([]byte, size-2-len(text)))
	head := fmt.Sprintf("45000000 00004000 40060000"+toAgent+"3039 0050 00000001 00000000 %02x02 ffff 0000 0000 %x", (20+size)/4<<4, option)
	return [][]byte{build(head, nil)}
}

// hopByHop puts it into a hop-by-hop option of an unknown type.
func hopByHop(text []byte) [][]byte {
	size := (4 + len(text) + 7) / 8 * 8
	pad := make([]byte, size-4-len(text))
	head := fmt.Sprintf("60000000 0000 00 40"+toAgent6+"11 %02x 1e %02x %x %x 3039 0007 0000 0000", size/8-1, len(text), text, pad)
	return [][]byte{build(head, nil)}
}

// routing puts it after a routing header, as a protocol without a name.
func routing(text []byte) [][]byte {
	return [][]byte{build("60000000 0000 2b 40"+toAgent6+"fd 00 04 00 00000000", text)}
}

// addresses puts eight bytes of text into the source and destination address.
func inAddresses(text []byte) [][]byte {
	return [][]byte{build(fmt.Sprintf("45000000 00004000 40110000 %x 3039 0007 0000 0000", text), nil)}
}

// fragments splits a datagram into three fragments.
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

// fragments6 splits a text into two fragments, without a known header.
func fragments6(text []byte) [][]byte {
	half := len(text) / 2 &^ 7
	return [][]byte{
		build("60000000 0000 2c 40"+toAgent6+"11 00 0001 00001234 3039 0007 00ff 0000", text[:half]),
		build(fmt.Sprintf("60000000 0000 2c 40"+toAgent6+"11 00 %04x 00001234", half+8), text[half:]),
	}
}

// wrongChecksum is a packet that assist check would refuse.
func wrongChecksum(text []byte) [][]byte {
	p := udp(7)(text)[0]
	p[10] ^= 0x55
	p[26] ^= 0x55
	return [][]byte{p}
}

// wrongLengths states too much in both headers.
func wrongLengths(text []byte) [][]byte {
	p := udp(7)(text)[0]
	p[2], p[24] = 0x7f, 0x7f
	return [][]byte{p}
}

// bare is only the text, which is not a packet: the byte before it makes it neither
// version 4 nor 6.
func bare(text []byte) [][]byte { return [][]byte{append([]byte{0x0a}, text...)} }

// bytesOf parses a packet in hex.
func bytesOf(data []byte) string { return fmt.Sprintf("%x", data) }
