package packet

import "net/netip"

// Flow identifies what a packet belongs to, so that it can be matched with its
// answer: an echo request by identifier and sequence number, a datagram or segment
// by its ports. It is comparable. The zero value means no flow.
type Flow struct {
	// Src and Dst are the addresses in the packet's IP header. Dst is not set for
	// a neighbor solicitation, which goes to a multicast group and is answered by
	// its target.
	Src, Dst netip.Addr

	// Protocol is the IP protocol number: 1, 6, 17 or 58.
	Protocol uint8

	// Type is the type of an ICMP or ICMPv6 message, and 0 for other protocols.
	Type uint8

	// A and B are the ports of Src and Dst for UDP and TCP, and identifier and
	// sequence number for ICMP messages that have them.
	A, B uint16

	// Target is the target of a neighbor solicitation or advertisement.
	Target netip.Addr
}

// FlowOf returns the flow of b, in the direction of b. ok is false if b has no flow:
// if it is a later fragment, an ICMP message other than a query or reply, of an
// unknown protocol, damaged, or shorter than it states. A wrong checksum does not
// matter.
func FlowOf(b []byte) (f Flow, ok bool) {
	v := parse(b)
	if v.version == 0 || v.stated > len(b) {
		return Flow{}, false
	}
	return v.flow()
}

// FlowOfCut is FlowOf, also for a packet whose end a capture has cut off: eight bytes
// of transport are enough.
func FlowOfCut(b []byte) (f Flow, ok bool) {
	v := parseCut(b)
	return v.flow()
}

// flow is FlowOf, also for a quoted packet: eight bytes of transport are enough.
func (v *view) flow() (f Flow, ok bool) {
	if v.hdr == 0 || v.bad.Field != "" || v.kind == kindOther || v.end-v.up < 8 {
		return Flow{}, false
	}
	f.Src, f.Dst, _ = Addresses(v.b)
	f.Protocol = v.proto
	switch v.kind {
	case kindUDP, kindTCP:
		f.A, f.B = v.u16(v.up), v.u16(v.up+2)
		return f, true
	}
	f.Type = v.b[v.up]
	switch {
	case v.isEcho():
		f.A, f.B = v.u16(v.up+4), v.u16(v.up+6)
		return f, true
	case v.hasTarget():
		f.Target = addr6(v.b, v.up+8)
		if f.Type == 135 {
			f.Dst = netip.Addr{}
		}
		return f, true
	}
	return Flow{}, false
}

// Reversed returns the other direction of a flow of UDP or TCP.
func (f Flow) Reversed() Flow {
	f.Src, f.Dst, f.A, f.B = f.Dst, f.Src, f.B, f.A
	return f
}

// AnswersTo returns the flow of the packet that b answers. For an echo reply that is
// the echo request (and likewise for timestamp, information and address mask, RFC
// 792 and RFC 950), for an ICMP or ICMPv6 error the quoted packet, for UDP and TCP
// the other direction, and for a neighbor advertisement the solicitation. ok is
// false if b is a request or has no flow.
func AnswersTo(b []byte) (f Flow, ok bool) {
	v := parse(b)
	if v.version == 0 || v.stated > len(b) {
		return Flow{}, false
	}
	if q, _, isQuote := v.quoted(); isQuote {
		return q.flow()
	}
	f, ok = v.flow()
	if !ok {
		return Flow{}, false
	}
	f.Src, f.Dst = f.Dst, f.Src
	switch {
	case v.kind == kindUDP || v.kind == kindTCP:
		f.A, f.B = f.B, f.A
		return f, true
	case v.hasTarget() && f.Type == 136:
		// A solicitation from the unspecified address is answered to all nodes
		// (RFC 4861 section 7.2.4).
		if f.Src.IsMulticast() {
			f.Src = netip.IPv6Unspecified()
		}
		f.Type, f.Dst = 135, netip.Addr{}
		return f, true
	}
	f.Type, ok = echoRequest(v.kind, f.Type)
	if !ok {
		return Flow{}, false
	}
	return f, true
}
