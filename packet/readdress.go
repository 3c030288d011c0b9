package packet

import (
	"encoding/binary"
	"net/netip"
)

// Readdress returns a copy of b with its addresses replaced by src and dst. It
// updates every checksum that covers them by the difference (RFC 1624), so a wrong
// checksum stays wrong. These are the checksums of the IPv4 header and, except in
// later fragments, of TCP, ICMPv6 and UDP (if it has one). A packet quoted by an
// ICMP error does not change. ok is false if b is not an IP packet or src and dst
// are of another family.
func Readdress(b []byte, src, dst netip.Addr) (moved []byte, ok bool) {
	v := parse(append([]byte(nil), b...))
	from, to := src.AsSlice(), dst.AsSlice()
	at := 12
	switch {
	case v.version == 4 && src.Is4() && dst.Is4():
	case v.version == 6 && src.Is6() && dst.Is6():
		at = 8
	default:
		return nil, false
	}
	addresses := v.b[at : at+2*len(from)]
	// The sum of the new addresses minus the sum of the old ones.
	oldSrc, oldDst := addresses[:len(from)], addresses[len(from):]
	differSrc := sum(from, uint64(checksum(sum(oldSrc, 0))))
	differDst := sum(to, uint64(checksum(sum(oldDst, 0))))
	var pseudo uint64 // the same for the addresses in the pseudo-header
	if v.src == at {
		pseudo += differSrc
	}
	if v.finalDst == at+len(from) {
		pseudo += differDst
	}
	copy(addresses, from)
	copy(addresses[len(from):], to)
	if v.version == 4 {
		v.adjust(10, differSrc+differDst)
	}
	if field := map[kind]int{kindTCP: 16, kindUDP: 6, kindICMPv6: 2}[v.kind]; field != 0 && v.fragOff == 0 && v.up+field+2 <= len(v.b) {
		if none := v.kind == kindUDP && v.u16(v.up+field) == 0; !none {
			v.adjust(v.up+field, pseudo)
			if v.kind == kindUDP && v.u16(v.up+field) == 0 { // 0 would mean no checksum (RFC 768)
				binary.BigEndian.PutUint16(v.b[v.up+field:], 0xffff)
			}
		}
	}
	return v.b, true
}

// adjust updates the checksum at offset at after its sum has changed by difference
// (RFC 1624 equation 3).
func (v *view) adjust(at int, difference uint64) {
	binary.BigEndian.PutUint16(v.b[at:], checksum(uint64(^v.u16(at))+difference))
}
