package packet

// icmpMin returns the minimum length of an ICMP or ICMPv6 message of this type, in
// bytes.
func (v *view) icmpMin() int {
	if v.up >= v.end {
		return 8
	}
	t := v.b[v.up]
	if v.kind == kindICMP {
		switch t {
		case 13, 14: // timestamp, RFC 792
			return 20
		case 17, 18: // address mask, RFC 950
			return 12
		}
		return 8
	}
	switch t {
	case 1, 2, 3, 4, 128, 129, 133, 143: // RFC 4443, RFC 4861, RFC 3810
		return 8
	case 134: // router advertisement
		return 16
	case 130, 131, 132, 135, 136: // RFC 2710, neighbor discovery
		return 24
	case 137: // redirect
		return 40
	}
	return 4
}

// quoted returns the packet that an ICMP error quotes, and its offset. ok is false
// if v is not an ICMP error.
func (v *view) quoted() (q view, at int, ok bool) {
	if v.frag || v.bad.Field != "" || !v.isError() {
		return q, 0, false
	}
	at = v.up + 8
	q = parseQuoted(v.b[at:v.end])
	return q, at, q.version != 0
}

// isError reports whether v is an ICMP error, which quotes another packet from its
// eighth byte on.
func (v *view) isError() bool {
	switch v.kind {
	case kindICMP:
		switch v.b[v.up] {
		case 3, 4, 5, 11, 12: // RFC 792
			return true
		}
	case kindICMPv6:
		return v.b[v.up] >= 1 && v.b[v.up] <= 4 // RFC 4443
	}
	return false
}

// isEcho reports whether an ICMP or ICMPv6 message has an identifier and a
// sequence number (RFC 792, RFC 950; RFC 4443 section 4).
func (v *view) isEcho() bool {
	if v.end-v.up < 8 {
		return false
	}
	t := v.b[v.up]
	switch v.kind {
	case kindICMP:
		return t == 0 || t == 8 || t >= 13 && t <= 18
	case kindICMPv6:
		return t == 128 || t == 129
	}
	return false
}

// echoRequest returns the type of the request that a message of type t answers. ok
// is false if t is not a reply.
func echoRequest(k kind, t uint8) (request uint8, ok bool) {
	switch {
	case k == kindICMP && t == 0:
		return 8, true
	case k == kindICMP && (t == 14 || t == 16 || t == 18):
		return t - 1, true
	case k == kindICMPv6 && t == 129:
		return 128, true
	}
	return 0, false
}

// appendICMP appends a summary such as "ICMP echo request id 15078 seq 1".
func (v *view) appendICMP(out []byte) []byte {
	out = append(out, v.kind.layer()...)
	return v.appendMessage(out)
}

func (v *view) appendMessage(out []byte) []byte {
	t, code := v.b[v.up], v.b[v.up+1]
	out = append(out, ' ')
	out = append(out, icmpTypeName(v.kind, t)...)
	if v.isEcho() {
		out = appendPair(out, " id ", int(v.u16(v.up+4)), " seq ", int(v.u16(v.up+6)))
		if code != 0 {
			out = appendPair(out, " code ", int(code), "", -1)
		}
		return out
	}
	if name := icmpCodeName(v.kind, t, code); name != "" {
		out = append(out, ", "...)
		out = append(out, name...)
	}
	switch {
	case v.kind == kindICMP && t == 3 && code == 4: // RFC 1191 section 4
		out = appendPair(out, ", mtu ", int(v.u16(v.up+6)), "", -1)
	case v.kind == kindICMPv6 && t == 2:
		out = appendPair(out, ", mtu ", int(v.u32(v.up+4)), "", -1)
	case v.kind == kindICMP && t == 5:
		out = append(out, ", to "...)
		out = addr4(v.b, v.up+4).AppendTo(out)
	case v.hasTarget():
		out = append(out, " for "...)
		out = addr6(v.b, v.up+8).AppendTo(out)
	}
	if q, _, ok := v.quoted(); ok {
		out = append(out, ", for "...)
		out = q.appendQuoted(out)
	}
	return out
}

// hasTarget reports whether v is a neighbor solicitation or advertisement; only
// these have a target (RFC 4861 sections 4.3 and 4.4).
func (v *view) hasTarget() bool {
	return v.kind == kindICMPv6 && v.end-v.up >= 24 && (v.b[v.up] == 135 || v.b[v.up] == 136)
}

// appendQuoted appends a summary of a quoted packet: "UDP 10.77.0.1:3 >
// 10.77.0.2:99".
func (v *view) appendQuoted(out []byte) []byte {
	size := v.end - v.up
	switch {
	case v.hdr == 0:
		out = append(out, "damaged IPv"...)
		out = append(out, byte('0'+v.version), ' ')
		return v.appendEnds(out, false)
	case v.kind == kindOther:
		out = append(out, "protocol "...)
		out = appendProtocol(out, v.proto)
	default:
		out = append(out, v.kind.layer()...)
	}
	out = append(out, ' ')
	out = v.appendEnds(out, (v.kind == kindUDP || v.kind == kindTCP) && size >= 4)
	switch {
	case v.isEcho():
		out = v.appendMessage(out)
	case v.frag:
		out = append(out, " fragment"...)
	}
	return out
}
