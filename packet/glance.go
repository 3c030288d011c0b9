package packet

import "strconv"

// Limits of Glance, in bytes.
const (
	glanceData = 8   // data of an echo, or of a later fragment
	maxGlance  = 256 // any other packet
)

// Glance returns how many bytes of a packet a reader needs to see at first. For an
// echo message or its first fragment, a UDP echo request and a later fragment that is
// the headers and 8 bytes more, for other packets up to 256, and for a packet with a
// fault (see Check) 0.
func Glance(b []byte) int {
	v := parse(b)
	switch {
	case v.version == 0 || len(v.check()) > 0:
		return 0
	case v.frag && v.fragOff > 0:
		return min(len(b), v.fragAt+glanceData)
	case v.isEcho(), v.isEchoService():
		return min(len(b), v.up+8+glanceData)
	}
	return min(len(b), maxGlance)
}

// isEchoService reports whether the packet is a UDP datagram to port 7 (RFC 862) whose
// answer does not depend on its data: it has a checksum, and swapping ports and
// addresses does not change that.
func (v *view) isEchoService() bool {
	return v.kind == kindUDP && v.end-v.up >= 8 && v.u16(v.up+2) == 7 && v.u16(v.up+6) != 0
}

// EchoSummary returns the parts of a summary for a line about several echo messages:
// before is "ICMP echo replies id 7 seq ", after is the text after the sequence
// number seq. ok is false if b is not an echo message or has a fault (see Check).
func EchoSummary(b []byte) (before, after string, seq int, ok bool) {
	v := parse(b)
	if v.frag || !v.isEcho() || len(v.check()) > 0 {
		return "", "", 0, false
	}
	var kind string
	switch v.b[v.up] {
	case 8, 128:
		kind = "requests"
	case 0, 129:
		kind = "replies"
	default: // other queries of RFC 792 have the same form
		return "", "", 0, false
	}
	before = v.kind.layer() + " echo " + kind + " id " + strconv.Itoa(int(v.u16(v.up+4))) + " seq "
	return before, ", checksums ok", int(v.u16(v.up + 6)), true
}

// BareAck reports whether b is a bare TCP acknowledgment: no data, SYN, FIN or RST,
// and no fault.
func BareAck(b []byte) bool {
	if !mayBeTCP(b) {
		return false
	}
	v := parse(b)
	return v.kind == kindTCP && !v.frag && len(v.check()) == 0 &&
		v.b[v.up+13]&(tcpSYN|tcpFIN|tcpRST|tcpACK) == tcpACK && v.end-v.up == v.tcpHeader()
}

// NextSeq returns the acknowledgment number that covers a TCP segment: its sequence
// number plus the length of its data, plus one each for SYN and FIN (RFC 9293
// section 3.4). ok is false if there is nothing to acknowledge, if b is not a TCP
// segment, or if it has a fault.
func NextSeq(b []byte) (next uint32, ok bool) {
	v := parse(b)
	if v.kind != kindTCP || v.frag || len(v.check()) > 0 {
		return 0, false
	}
	flags := v.b[v.up+13]
	n := uint32(v.end - v.up - v.tcpHeader())
	n += uint32(flags&tcpFIN) + uint32(flags&tcpSYN>>1)
	return v.u32(v.up+4) + n, n > 0 && flags&tcpRST == 0
}

// TCP flags (RFC 9293 section 3.1).
const (
	tcpFIN = 0x01
	tcpSYN = 0x02
	tcpRST = 0x04
	tcpACK = 0x10
)

// Differences lists the 16-bit words of b that differ from base, which must have the
// same length. It compares the first limit bytes. Each run of words follows the
// decimal offset of its first byte: "4: ade3 22: 4e76 0003". It returns "" if there
// is no difference. ok is false if more than most words differ.
func Differences(b, base []byte, limit, most int) (text string, ok bool) {
	limit = min(limit, len(b), len(base))
	var out []byte
	for at, run := 0, -4; at < limit; at += 2 { // run is where the last differing word began
		end := min(at+2, limit)
		if string(b[at:end]) == string(base[at:end]) {
			continue
		}
		if most--; most < 0 {
			return "", false
		}
		if len(out) > 0 {
			out = append(out, ' ')
		}
		if run != at-2 {
			out = append(strconv.AppendInt(out, int64(at), 10), ": "...)
		}
		run = at
		out = appendWords(out, b[at:end])
	}
	return string(out), true
}
