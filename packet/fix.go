package packet

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Fix returns a copy of b with lengths and checksums filled in: IPv4 total length
// and header checksum, IPv6 payload length, UDP length, and the checksum of ICMP,
// ICMPv6, UDP (also over IPv4) or TCP. A UDP checksum of 0 becomes 0xffff (RFC 768).
// In a fragment only the IP header is filled in. If the packet has no fault, its UDP
// length stays even if it leaves a surplus. Header lengths (IHL, data offset,
// extension headers, options) do not change.
//
// Check finds no fault in the result. If Fix cannot achieve that, the error names
// the field in the way.
func Fix(b []byte) ([]byte, error) {
	c := bytes.Clone(b)
	v := parse(c)
	if v.hdr > 0 {
		v.fill(len(v.check()) == 0)
	}
	if faults := Check(c); len(faults) > 0 {
		return nil, fmt.Errorf("fix: %s; fix fills in only total lengths and checksums, so correct this by hand", faults[0])
	}
	return c, nil
}

func (v *view) fill(sound bool) {
	if v.version == 4 {
		binary.BigEndian.PutUint16(v.b[2:], uint16(len(v.b)))
		_, want := v.headerChecksum()
		binary.BigEndian.PutUint16(v.b[10:], want)
	} else {
		binary.BigEndian.PutUint16(v.b[4:], uint16(len(v.b)-ipv6Len))
	}
	// If the packet has no fault, its UDP length is intended, even with a surplus.
	if v.kind == kindUDP && !v.frag && v.bad.Field == "" && !sound {
		binary.BigEndian.PutUint16(v.b[v.up+4:], uint16(v.end-v.up))
	}
	if _, want, at, ok := v.transportChecksum(); ok {
		binary.BigEndian.PutUint16(v.b[at:], want)
	}
}
