package packet

import "net/netip"

// Fragment identifies the packet that fragments are parts of (RFC 791 section 3.2, RFC
// 8200 section 4.5). It is comparable.
type Fragment struct {
	Src, Dst netip.Addr
	ID       uint32 // identification; 16 bits in IPv4
}

// FragmentOf returns the packet that b is a part of, and the offset of b in it in
// bytes. ok is false if b is a whole packet, or if its IP headers are damaged.
func FragmentOf(b []byte) (f Fragment, offset int, ok bool) {
	v := parseCut(b)
	if v.hdr == 0 || v.bad.Field != "" || !v.frag {
		return Fragment{}, 0, false
	}
	f.Src, f.Dst, _ = Addresses(b)
	f.ID = v.fragID
	return f, v.fragOff, true
}
