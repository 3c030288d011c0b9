package packet

// transportEnd returns the offset at which the transport ends. Usually that is the
// end of the packet, but a UDP datagram may state a shorter length (RFC 768); the
// rest is the surplus area of RFC 9868. If the checksum is right only for the whole
// packet, the stated length counts as wrong.
func (v *view) transportEnd() int {
	if v.kind != kindUDP || v.frag || v.end-v.up < udpLen {
		return v.end
	}
	length := int(v.u16(v.up + 4))
	if length < udpLen || length >= v.end-v.up {
		return v.end
	}
	given := v.u16(v.up + 6)
	if given != 0 && !agrees(given, v.udpChecksum(length)) && agrees(given, v.udpChecksum(v.end-v.up)) {
		return v.end
	}
	return v.up + length
}

// udpChecksum returns the right checksum of a datagram of length bytes.
func (v *view) udpChecksum(length int) uint16 {
	// The sum includes the length field; take length, in case the field is wrong.
	acc := v.pseudoHeader(length) + sum(v.b[v.up:v.up+4], 0) + uint64(length) + sum(v.b[v.up+8:v.up+length], 0)
	if want := checksum(acc); want != 0 {
		return want
	}
	return 0xffff // 0 would mean no checksum (RFC 768)
}
