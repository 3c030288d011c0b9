package packet

import (
	"errors"
	"fmt"
	"net/netip"
)

// A Mention is an address that the receiver of a packet acts on, other than source
// and destination: a hop of a source route, or an address of a quoted or
// encapsulated packet.
type Mention struct {
	What string // what the address is, such as "the destination quoted by ICMP type 3"
	Addr netip.Addr
}

// maxInside is the deepest nesting of packets inside packets that Beyond follows.
const maxInside = 4

// Beyond returns all further addresses that b can affect at its receiver, besides
// source and destination. They come from the packet that an ICMP error quotes (the
// receiver changes a path MTU or ends a connection, RFC 1122 section 3.2.2.1), a
// source route or routing header, the Home Address option (RFC 6275 section 6.3),
// or IP inside IP (protocols 4 and 41). In a later fragment only the headers before
// its data count: hosts act on them before they put the packet together.
//
// An error means that the effect of b is unknown or unlimited, and says why: b
// configures routers or routes (ICMP 5, 9 and 10; ICMPv6 133, 134 and 137), or its
// headers hide the content, such as a fragment of an ICMP error.
func Beyond(b []byte) ([]Mention, error) { return beyond(nil, b, 0) }

func beyond(all []Mention, b []byte, depth int) ([]Mention, error) {
	v := parse(b)
	switch {
	case v.hdr == 0:
		return all, nil // every host drops it
	case v.version == 6 && v.bad.Layer == "IPv6":
		return all, fmt.Errorf("the extension headers cannot be followed (%s)", v.bad)
	case v.fragOff > 0:
		return v.routed(all) // the rest is judged by the first fragment
	case v.frag && v.proto == protoFragment:
		return all, errors.New("it is a fragment within a fragment")
	}
	all, err := v.routed(all)
	if err != nil {
		return all, err
	}
	switch {
	case v.kind == kindICMP || v.kind == kindICMPv6:
		return v.controls(all)
	case v.proto != protoIPv4 && v.proto != protoIPv6:
		return all, nil
	case v.frag || depth == maxInside:
		return all, errors.New("the packets inside it cannot be followed: send it unfragmented, with fewer of them")
	}
	inside := b[v.up:v.end]
	src, dst, ok := Addresses(inside)
	if !ok {
		return all, nil // every tunnel drops it
	}
	return beyond(append(all, Mention{"the source of the packet inside", src}, Mention{"the destination of the packet inside", dst}), inside, depth+1)
}

// routed appends the hops of source routes and the home address, which every
// fragment can have.
func (v *view) routed(all []Mention) ([]Mention, error) {
	if v.version == 4 {
		v.eachSourceRoute(func(at, size int) {
			for hop := at + 3; hop+4 <= at+size; hop += 4 {
				all = append(all, Mention{"the hop of the source route", addr4(v.b, hop)})
			}
		})
		return all, nil
	}
	if v.src != 8 {
		all = append(all, Mention{"the home address", addr6(v.b, v.src)})
	}
	for _, x := range v.exts[:v.nexts] {
		if x.proto != protoRouting || v.b[x.off+3] == 0 {
			continue
		}
		switch kind := v.b[x.off+2]; kind {
		case 0, 2, 4:
			for hop := x.off + 8; hop+16 <= x.off+x.size; hop += 16 {
				all = append(all, Mention{"the hop of the routing header", addr6(v.b, hop)})
			}
		default:
			return all, fmt.Errorf("the routing header of type %d cannot be followed", kind)
		}
	}
	return all, nil
}

// controls appends the addresses that an ICMP or ICMPv6 error quotes. A message
// that configures routers or routes is an error.
func (v *view) controls(all []Mention) ([]Mention, error) {
	if v.up >= v.end {
		if !v.frag {
			return all, nil // not a message
		}
		return all, fmt.Errorf("the first fragment does not show which %s message it is", v.kind.layer())
	}
	t := v.b[v.up]
	name := fmt.Sprintf("%s type %d", v.kind.layer(), t)
	if v.configures() {
		return all, fmt.Errorf("%s (%s) changes the routes of its receiver", name, icmpTypeName(v.kind, t))
	}
	if !v.isError() && (v.kind != kindICMPv6 || t >= 128) { // RFC 4443 section 2.1: below 128 all are errors
		return all, nil
	}
	if v.frag {
		return all, fmt.Errorf("%s in fragments does not show which packet it quotes: send it in one piece", name)
	}
	// The receiver ignores the version field of the quoted packet.
	quote, least, at, size := v.b[min(v.up+8, v.end):v.end], ipv4Min, 12, 4
	if v.version == 6 {
		least, at, size = ipv6Len, 8, 16
	}
	if len(quote) < least {
		return all, fmt.Errorf("%s quotes %d bytes, not a whole IP header (%d)", name, len(quote), least)
	}
	for i, end := range [...]string{"source", "destination"} {
		addr, _ := netip.AddrFromSlice(quote[at+i*size : at+(i+1)*size])
		all = append(all, Mention{"the " + end + " quoted by " + name, addr})
	}
	return all, nil
}

// configures reports whether v configures routers or routes: a redirect, a router
// advertisement or a router solicitation (RFC 792, RFC 1256, RFC 4861).
func (v *view) configures() bool {
	switch t := v.b[v.up]; v.kind {
	case kindICMP:
		return t == 5 || t == 9 || t == 10
	case kindICMPv6:
		return t == 133 || t == 134 || t == 137
	}
	return false
}
