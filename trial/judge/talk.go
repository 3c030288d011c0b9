package judge

import (
	"encoding/binary"
	"net/netip"
)

// talk identifies a conversation in both directions: by addresses and ports for UDP and
// TCP, by addresses, identifier and sequence number for ICMP. An ICMP error belongs to the
// talk of the packet that it quotes.
type talk struct {
	x, y     netip.AddrPort // in order
	protocol byte
	query    uint32 // ICMP identifier and sequence number
}

// talkOf returns the talk of a packet. ok is false if the packet does not show it, for
// instance if it is not the first fragment.
func talkOf(d *datagram) (t talk, ok bool) {
	if quoted, isError := quotedIn(d); isError {
		return talkOf(&quoted)
	}
	if d.version == 0 || d.broken != "" || d.offset > 0 {
		return talk{}, false
	}
	t.protocol = d.protocol
	var from, to uint16
	switch d.protocol {
	case protocolUDP, protocolTCP:
		if len(d.body) < 4 {
			return talk{}, false
		}
		from, to = binary.BigEndian.Uint16(d.body), binary.BigEndian.Uint16(d.body[2:])
	case protocolICMP, protocolICMPv6:
		if len(d.body) < 8 {
			return talk{}, false
		}
		t.query = binary.BigEndian.Uint32(d.body[4:])
	}
	t.x, t.y = netip.AddrPortFrom(d.src, from), netip.AddrPortFrom(d.dst, to)
	return t.ordered(), true
}

func (t talk) ordered() talk {
	if t.y.Compare(t.x) < 0 {
		t.x, t.y = t.y, t.x
	}
	return t
}

// anywhere returns the talk without its addresses, to find it if one of them is wrong.
func (t talk) anywhere() talk {
	t.x, t.y = netip.AddrPortFrom(netip.Addr{}, t.x.Port()), netip.AddrPortFrom(netip.Addr{}, t.y.Port())
	return t.ordered()
}

// quotedIn returns the packet that an ICMP error quotes (RFC 792, RFC 4443 section 2.1).
// ok is false if d is not an ICMP error.
func quotedIn(d *datagram) (quoted datagram, ok bool) {
	if d.fragment || len(d.body) < 8 {
		return datagram{}, false
	}
	kind := d.body[0]
	switch {
	case d.version == 4 && d.protocol == protocolICMP:
		ok = kind == 3 || kind == 4 || kind == 5 || kind == 11 || kind == 12
	case d.version == 6 && d.protocol == protocolICMPv6:
		ok = kind >= 1 && kind <= 4
	}
	if !ok {
		return datagram{}, false
	}
	quoted = readDatagram(d.body[8:])
	if _, nested := quotedIn(&quoted); nested {
		return datagram{}, false // hosts never answer an error with an error
	}
	return quoted, quoted.version != 0
}

// byAnybody reports whether an ICMP error may come from any router. Only port and protocol
// unreachable over IPv4, and port unreachable over IPv6, must come from the destination.
func byAnybody(d *datagram) bool {
	if _, ok := quotedIn(d); !ok {
		return false
	}
	kind, code := d.body[0], d.body[1]
	if d.version == 4 {
		return kind != 3 || code != 2 && code != 3
	}
	return kind != 1 || code != 4
}
