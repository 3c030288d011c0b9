package packet

// IPv4 source route options (RFC 791 section 3.1).
const (
	optionLooseRoute  = 131
	optionStrictRoute = 137
)

// eachSourceRoute calls see with offset and length of every loose or strict source
// route that fits.
func (v *view) eachSourceRoute(see func(at, size int)) {
	for at := ipv4Min; at < v.hdr; {
		size, fault := optionSize(v.b, at, v.hdr)
		if fault.Field != "" {
			return
		}
		if t := v.b[at]; size >= 3 && (t == optionLooseRoute || t == optionStrictRoute) {
			see(at, size)
		}
		at += size
	}
}

// findFinalHop sets v.finalDst, the destination in the pseudo-header, to the last
// address of a source route that has hops left (RFC 1122 section 3.2.1.8). The
// route's pointer counts from 1 and is beyond its length once the route is used up.
func (v *view) findFinalHop(at, size int) {
	if pointer := int(v.b[at+2]); size >= 7 && pointer >= 4 && pointer+3 <= size {
		v.finalDst = at + 3 + (size-3)/4*4 - 4
	}
}
