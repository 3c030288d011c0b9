package packet

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Fix returns a copy of b with lengths and checksums filled in: IPv4 total
// length and header checksum, IPv6 payload length, UDP length, and the
// checksum of ICMP, ICMPv6, UDP (over IPv4 too) or TCP. A UDP checksum that
// comes out as 0 becomes 0xffff (RFC 768). Of a fragment only the IP header is
// filled in. Header lengths (IHL, data offset, extension headers, options) are
// left alone.
//
// Check finds nothing in what Fix returns. If that cannot be reached, the
// error names the field that stands in the way.
func Fix(b []byte) ([]byte, error) {
	c := bytes.Clone(b)
	v := parse(c)
	if v.hdr > 0 {
		v.fill()
	}
	if faults := Check(c); len(faults) > 0 {
		return nil, fmt.Errorf("fix: %s; fix fills in total lengths and checksums only: correct this by hand", faults[0])
	}
	return c, nil
}

func (v *view) fill() {
	if v.version == 4 {
		binary.BigEndian.PutUint16(v.b[2:], uint16(len(v.b)))
		_, want := v.headerChecksum()
		binary.BigEndian.PutUint16(v.b[10:], want)
	} else {
		binary.BigEndian.PutUint16(v.b[4:], uint16(len(v.b)-ipv6Len))
	}
	if _, want, at, ok := v.transportChecksum(); ok {
		if v.kind == kindUDP {
			binary.BigEndian.PutUint16(v.b[v.up+4:], uint16(v.end-v.up))
		}
		binary.BigEndian.PutUint16(v.b[at:], want)
	}
}
