package packet

import "net/netip"

// Flow identifies the step of a conversation that a packet belongs to, so that
// an answer can be found for it: an echo request by its identifier and
// sequence number, a datagram or segment by its ports. It is comparable. The
// zero value is no flow.
type Flow struct {
	// Src and Dst are the addresses as in the packet's IP header. Dst is not
	// set in the flow of a neighbor solicitation, which goes to a multicast
	// group and is answered by its target.
	Src, Dst netip.Addr

	// Protocol is the IP protocol number: 1, 6, 17 or 58.
	Protocol uint8

	// Type is the type of an ICMP or ICMPv6 message, 0 for other protocols.
	Type uint8

	// A and B are the ports of Src and Dst for UDP and TCP, identifier and
	// sequence number for ICMP messages that have them.
	A, B uint16

	// Target is the target of a neighbor solicitation or advertisement.
	Target netip.Addr
}

// FlowOf returns the flow of b as it was sent. ok is false for what has none:
// a fragment beyond the first, an ICMP message that is neither a query nor a
// reply, an unknown protocol, a damaged packet or one shorter than it states.
// A wrong checksum does not matter.
func FlowOf(b []byte) (f Flow, ok bool) {
	v := parse(b)
	if v.version == 0 || v.stated > len(b) {
		return Flow{}, false
	}
	return v.flow()
}

// flow is FlowOf for a quoted packet too: eight bytes of transport are enough.
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

// AnswersTo returns the flow of the packet that b would answer: of the echo
// request for an echo reply (likewise timestamp, information and address mask
// of RFC 792 and RFC 950), of the quoted packet for an ICMP or ICMPv6 error,
// of the other direction for UDP and TCP, of the neighbor solicitation for a
// neighbor advertisement. ok is false for a request and for what has no flow.
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
		// The answer to a solicitation from the unspecified address goes to
		// all nodes (RFC 4861 section 7.2.4).
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
