package judge

import (
	"encoding/binary"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// IP protocol numbers that the judge knows.
const (
	protocolICMP     = 1
	protocolIGMP     = 2
	protocolTCP      = 6
	protocolUDP      = 17
	protocolFragment = 44
	protocolICMPv6   = 58
)

// datagram is an IP packet with its headers parsed as far as they are valid.
type datagram struct {
	data     []byte
	version  int        // 4 or 6; 0 means that it is not an IP packet
	src, dst netip.Addr //
	protocol byte       // of the body
	hops     byte       // TTL or hop limit
	stated   int        // length of the whole packet according to its header
	body     []byte     // everything after the headers, whatever length they state
	broken   string     // why the headers are invalid, so that there is no body; "" if they are valid
	options  string     // what is wrong with the IPv4 options or extension headers; "" if nothing

	fragment bool   // it is a fragment
	more     bool   // it is a fragment other than the last
	offset   int    // of body in the whole packet's body, in bytes
	id       uint32 // identification, the same in all fragments of one packet
}

// readDatagram parses the headers of a packet.
func readDatagram(b []byte) datagram {
	d := datagram{data: b}
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		d.readIPv4()
	case len(b) >= 40 && b[0]>>4 == 6:
		d.readIPv6()
	default:
		d.broken = "it is not an IP packet"
	}
	return d
}

// readIPv4 parses the header of RFC 791 section 3.1. It checks only the lengths of
// options.
func (d *datagram) readIPv4() {
	b := d.data
	d.version, d.src, d.dst = 4, netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	d.stated, d.hops, d.protocol = int(binary.BigEndian.Uint16(b[2:])), b[8], b[9]
	header := int(b[0]&15) * 4
	if header < 20 || header > len(b) {
		d.broken = "its IHL is wrong"
		return
	}
	bits := binary.BigEndian.Uint16(b[6:])
	d.more, d.offset = bits&0x2000 != 0, int(bits&0x1fff)*8
	d.fragment, d.id = d.more || d.offset > 0, uint32(binary.BigEndian.Uint16(b[4:]))
	d.body, d.options = b[header:], oddOption(b[20:header], 4)
}

// readIPv6 parses the header of RFC 8200 section 3 and the extension headers.
func (d *datagram) readIPv6() {
	b := d.data
	d.version, d.src, d.dst = 6, netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	d.stated, d.protocol, d.hops = 40+int(binary.BigEndian.Uint16(b[4:])), b[6], b[7]
	d.body = b[40:]
	d.skipExtensions()
	if d.protocol != protocolFragment || d.broken != "" {
		return
	}
	if len(d.body) < 8 { // RFC 8200 section 4.5
		d.broken, d.body = "its fragment header is cut off", nil
		return
	}
	bits := binary.BigEndian.Uint16(d.body[2:])
	d.more, d.offset = bits&1 != 0, int(bits&^7)
	d.fragment, d.id = d.more || d.offset > 0, binary.BigEndian.Uint32(d.body[4:])
	d.protocol, d.body = d.body[0], d.body[8:]
	if !d.fragment { // an atomic fragment, RFC 6946
		d.skipExtensions()
	}
}

// skipExtensions moves body past hop-by-hop options, routing headers and destination
// options (RFC 8200 section 4).
func (d *datagram) skipExtensions() {
	for d.protocol == 0 || d.protocol == 43 || d.protocol == 60 {
		if len(d.body) < 8 || len(d.body) < 8+8*int(d.body[1]) {
			d.broken, d.body = "an extension header is cut off", nil
			return
		}
		size := 8 + 8*int(d.body[1])
		if d.protocol != 43 && d.options == "" {
			d.options = oddOption(d.body[2:size], 6)
		}
		d.protocol, d.body = d.body[0], d.body[size:]
	}
}

// statedBody returns the length that body has according to the header.
func (d *datagram) statedBody() int { return d.stated - (len(d.data) - len(d.body)) }

// judgeHeader adds everything that is wrong in the IP header to f.
func (d *datagram) judgeHeader(f *findings) {
	if d.broken != "" {
		f.add(score.FaultLength, "%s", d.broken)
	}
	if d.version == 0 {
		return
	}
	if d.options != "" {
		f.add(score.FaultLength, "IPv%d %s", d.version, d.options)
	}
	if d.stated != len(d.data) {
		f.add(score.FaultLength, "the IP header states %d bytes, the packet has %d", d.stated, len(d.data))
	}
	if d.more && len(d.body)%8 != 0 { // RFC 791 section 2.3, RFC 8200 section 4.5
		f.add(score.FaultLength, "the fragment has %d bytes of data, but only the last may have a length that is no multiple of 8", len(d.body))
	}
	if d.hops == 0 { // RFC 1122 section 3.2.1.7
		f.add(score.FaultType, "the TTL is 0, should be at least 1")
	}
	if d.version != 4 || len(d.data) < int(d.data[0]&15)*4 {
		return
	}
	if d.data[6]&0x80 != 0 { // RFC 791 section 3.1
		f.add(score.FaultType, "the reserved flag is 1, should be 0")
	}
	header := d.data[:max(20, int(d.data[0]&15)*4)]
	if addsUp(header) {
		return
	}
	// A wrong total length counts as one mistake, whether the checksum covers the wrong
	// length or the right one.
	righted := append([]byte(nil), header...)
	binary.BigEndian.PutUint16(righted[2:], uint16(len(d.data)))
	if !addsUp(righted) {
		given, want := checksumAt(header, 10, nil)
		f.add(score.FaultIPChecksum, "the IP header checksum is 0x%04x, should be 0x%04x", given, want)
	}
}
