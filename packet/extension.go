package packet

// maxExtensions is the most IPv6 extension headers that a packet may have. RFC 8200
// section 4.1 lists six, with destination options twice.
const maxExtensions = 8

// optionHomeAddress is the type of the Home Address option.
const optionHomeAddress = 0xc9

// extension is one IPv6 extension header inside a packet.
type extension struct {
	proto   uint8 // the next header value that announces it
	off     int   // offset in the packet, in bytes
	size    int   // length in bytes
	options bool  // whether it holds type-length-value options
}

// extensionName returns the name of an extension header that walkExtensions knows,
// or "".
func extensionName(proto uint8) string {
	switch proto {
	case protoHopByHop:
		return "hop-by-hop options"
	case protoRouting:
		return "routing header"
	case protoFragment:
		return "fragment header"
	case protoAH:
		return "authentication header"
	case protoDestOptions:
		return "destination options"
	}
	return ""
}

// walkExtensions follows the chain of extension headers (RFC 8200 section 4; RFC
// 4302 for the authentication header) to its end. At the first header that does not
// fit it sets v.bad and stops. It also stops at a second fragment header, which only
// counts after reassembly, and after the fragment header of a later fragment, where
// no headers follow.
func (v *view) walkExtensions() {
	for {
		name := extensionName(v.proto)
		if name == "" || v.frag && v.proto == protoFragment {
			return
		}
		if v.nexts == maxExtensions {
			v.bad = Fault{"IPv6", "number of extension headers", v.up, maxExtensions + 1, maxExtensions, AtMost}
			return
		}
		left := v.end - v.up
		if left < 8 {
			v.bad = Fault{"IPv6", name + " size", v.up, uint64(left), 8, AtLeast}
			return
		}
		x := extension{proto: v.proto, off: v.up}
		switch v.proto {
		case protoFragment:
			x.size = fragmentLen
		case protoAH:
			x.size = (int(v.b[v.up+1]) + 2) * 4
			if x.size < 12 {
				v.bad = Fault{"IPv6", name + " length", v.up + 1, uint64(x.size), 12, AtLeast}
				return
			}
		default:
			x.size = (int(v.b[v.up+1]) + 1) * 8
			x.options = v.proto != protoRouting
		}
		if x.size > left {
			v.bad = Fault{"IPv6", name + " length", v.up + 1, uint64(x.size), uint64(left), AtMost}
			return
		}
		v.exts[v.nexts] = x
		v.nexts++
		if v.proto == protoRouting {
			v.findFinalDestination(x)
		}
		if v.proto == protoDestOptions {
			v.findHomeAddress(x)
		}
		v.proto = v.b[x.off]
		v.up += x.size
		if x.proto == protoFragment {
			bits := v.u16(x.off + 2)
			v.more = bits&1 != 0
			v.fragOff = int(bits &^ 7)
			v.frag = v.more || v.fragOff > 0
			v.fragID = v.u32(x.off + 4)
			v.fragAt = v.up
			if v.fragOff > 0 {
				return
			}
		}
	}
}

// findFinalDestination sets v.finalDst, the destination in the pseudo-header, if a
// routing header has segments left (RFC 8200 section 8.1). It is the last address of
// type 0 (deprecated by RFC 5095) and type 2 (RFC 6275 section 6.4), and the first
// in the list of type 4 (RFC 8754 section 2). Other types do not change it.
func (v *view) findFinalDestination(x extension) {
	addresses := (x.size - 8) / 16
	if addresses == 0 || v.b[x.off+3] == 0 {
		return
	}
	switch v.b[x.off+2] {
	case 0, 2:
		v.finalDst = x.off + 8 + 16*(addresses-1)
	case 4:
		v.finalDst = x.off + 8
	}
}

// findHomeAddress sets v.src to the Home Address option (RFC 6275 section 6.3), which
// replaces the source address before the transport sees the packet.
func (v *view) findHomeAddress(x extension) {
	for at, end := x.off+2, x.off+x.size; at < end; {
		size, fault := ipv6OptionSize(v.b, at, end)
		if fault.Field != "" {
			return
		}
		if v.b[at] == optionHomeAddress && size == 2+16 {
			v.src = at + 2
		}
		at += size
	}
}
