package judge

// unasked reports whether a written packet is what a host sends to its link without being
// asked, and nothing is wrong in it: IGMP (RFC 9776), or multicast listener or neighbor
// discovery (RFC 9777, RFC 4861), to a group of link-local scope. It answers nothing, even
// if a request waits.
func unasked(p *crossed) bool {
	if p.ReplyTo != 0 || p.version == 0 || !p.dst.IsLinkLocalMulticast() || p.src.IsMulticast() || p.fragment {
		return false
	}
	switch {
	case p.protocol == protocolIGMP && p.version == 4:
		if len(p.body) < 8 || !addsUp(p.body) {
			return false
		}
	case p.protocol == protocolICMPv6 && p.version == 6:
		if len(p.body) < 8 || p.body[0] < 130 { // errors, echo
			return false
		}
	default:
		return false
	}
	var f findings
	judgePacket(&p.datagram, &f)
	return len(f) == 0
}
