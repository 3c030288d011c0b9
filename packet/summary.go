package packet

import (
	"net/netip"
	"strconv"
)

// maxSummary is the longest summary, in bytes.
const maxSummary = 200

// Summary describes a packet in one line of printable ASCII, with the verdict on its
// checksums at the end. It has at most 200 bytes:
//
//	IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id 15078 seq 1, checksums ok
//	IPv4 10.77.0.1:53204 > 10.77.0.2:80 TCP SYN seq 0x00003039 win 64240 len 0, checksums ok
//
// Sequence and acknowledgment numbers are in hex, as in the bytes. The verdict names
// the first fault that Check finds and counts the others. For a fragment it covers
// only the IPv4 header; for an IPv6 fragment there is no verdict, since there is no
// checksum to check.
//
// If the packet is shorter than its header states, or a header is damaged, the
// summary says that instead. If b is not an IP packet, it starts with "not an IP
// packet: ".
func Summary(b []byte) string {
	v := parse(b)
	if v.version == 0 {
		return "not an IP packet: " + v.notIP()
	}
	out := v.appendAddresses(make([]byte, 0, maxSummary), v.portsShown())
	out = append(out, ' ')
	faults := v.check()
	var verdictRoom [128]byte
	verdict := verdictRoom[:0]
	switch {
	case v.hdr > 0 && v.stated > len(b) && v.version == 4:
		out = appendPair(out, "total length is ", v.stated, ", the packet has ", len(b))
		out = append(out, " bytes"...)
	case v.hdr > 0 && v.stated > len(b):
		out = appendPair(out, "payload length is ", v.stated-ipv6Len, ", the packet has ", len(b)-ipv6Len)
		out = append(out, " bytes after its header"...)
	case v.bad.Field != "":
		out = append(out, v.damage()...)
		verdict = appendMore(verdict, len(faults)-1)
	default:
		out = v.appendBody(out)
		verdict = v.appendVerdict(verdict, faults)
	}
	if most := maxSummary - len(verdict); len(out) > most {
		out = append(out[:most-3], "..."...)
	}
	return string(append(out, verdict...))
}

// notIP returns the reason why v is not an IP packet.
func (v *view) notIP() string {
	switch {
	case len(v.b) == 0:
		return "it is empty"
	case v.bad.Field == "version":
		return "version " + strconv.Itoa(int(v.bad.Given))
	}
	return strconv.Itoa(len(v.b)) + " bytes are shorter than an " + v.bad.Layer + " header (" + strconv.Itoa(int(v.bad.Want)) + ")"
}

// damage returns v.bad in words. It leaves out the layer IPv4 or IPv6, which the
// summary has already named.
func (v *view) damage() string {
	text := v.bad.String()
	if v.bad.Layer == "IPv4" || v.bad.Layer == "IPv6" {
		return text[len("IPv4 "):]
	}
	return text
}

func (v *view) portsShown() bool {
	return (v.kind == kindUDP || v.kind == kindTCP) && !v.frag && v.end-v.up >= 4 && v.stated <= len(v.b)
}

// appendAddresses appends "IPv4 10.77.0.1:53204 > 10.77.0.2:80".
func (v *view) appendAddresses(out []byte, ports bool) []byte {
	out = append(out, "IPv"...)
	out = append(out, byte('0'+v.version), ' ')
	return v.appendEnds(out, ports)
}

func (v *view) appendEnds(out []byte, ports bool) []byte {
	src, dst, _ := Addresses(v.b)
	if !ports {
		out = src.AppendTo(out)
		out = append(out, " > "...)
		return dst.AppendTo(out)
	}
	out = netip.AddrPortFrom(src, v.u16(v.up)).AppendTo(out)
	out = append(out, " > "...)
	return netip.AddrPortFrom(dst, v.u16(v.up+2)).AppendTo(out)
}

// appendBody appends the part of the summary after the addresses.
func (v *view) appendBody(out []byte) []byte {
	switch {
	case v.frag:
		return v.appendFragment(out)
	case v.kind == kindOther:
		out = append(out, "protocol "...)
		out = appendProtocol(out, v.proto)
		return appendPair(out, ", ", len(v.b), " bytes", -1)
	}
	return v.appendTransport(out)
}

func (v *view) appendFragment(out []byte) []byte {
	out = append(out, "fragment id "...)
	if v.version == 6 {
		out = appendHex32(out, v.fragID)
	} else {
		out = append(out, "0x"...)
		out = appendHex16(out, uint16(v.fragID))
	}
	out = appendPair(out, " offset ", v.fragOff, "", -1)
	if v.more {
		out = append(out, " more"...)
	} else {
		out = append(out, " last"...)
	}
	if v.kind != kindOther {
		out = append(out, ", starts "...)
		switch size := v.end - v.up; {
		case v.kind == kindTCP && size >= tcpMin, v.kind == kindUDP && size >= udpLen:
			out = append(out, v.kind.layer()...)
			out = appendPair(out, " ", int(v.u16(v.up)), " > ", int(v.u16(v.up+2)))
			if v.kind == kindTCP {
				out = v.appendTCP(out)
			}
		case v.kind != kindTCP && v.kind != kindUDP && size >= v.icmpMin():
			out = v.appendICMP(out)
		default:
			out = append(out, v.kind.layer()...)
		}
	}
	return appendPair(out, ", ", len(v.b), " bytes", -1)
}

// appendTransport appends text such as "TCP SYN seq 0x00003039 win 64240 len 0".
func (v *view) appendTransport(out []byte) []byte {
	switch v.kind {
	case kindUDP:
		end := v.transportEnd()
		out = appendPair(out, "UDP len ", end-v.up-udpLen, "", -1)
		if end < v.end {
			out = appendPair(out, " surplus ", v.end-end, "", -1)
		}
		return out
	case kindTCP:
		out = append(out, "TCP"...)
		out = v.appendTCP(out)
		return appendPair(out, " len ", v.end-v.up-v.tcpHeader(), "", -1)
	}
	return v.appendICMP(out)
}

// appendVerdict appends the verdict of Check.
func (v *view) appendVerdict(out []byte, faults []Fault) []byte {
	if len(faults) > 0 {
		out = append(out, ", "...)
		out = append(out, faults[0].String()...)
		return appendMore(out, len(faults)-1)
	}
	given, _, _, judged := v.transportChecksum()
	switch {
	case judged && v.checksumAbsent(given):
		return append(out, ", checksums ok (UDP has none)"...)
	case judged:
		return append(out, ", checksums ok"...)
	case v.version == 4:
		return append(out, ", header checksum ok"...)
	}
	return out
}

func appendMore(out []byte, n int) []byte {
	switch {
	case n == 1:
		return append(out, " (+1 more fault)"...)
	case n > 1:
		return appendPair(out, " (+", n, " more faults)", -1)
	}
	return out
}

// appendPair appends two texts, each followed by its number. If n2 is -1, it leaves
// the second number out.
func appendPair(out []byte, text string, n int, text2 string, n2 int) []byte {
	out = append(out, text...)
	out = strconv.AppendInt(out, int64(n), 10)
	out = append(out, text2...)
	if n2 >= 0 {
		out = strconv.AppendInt(out, int64(n2), 10)
	}
	return out
}

// appendHex32 appends "0x0000303a".
func appendHex32(out []byte, n uint32) []byte {
	out = append(out, "0x"...)
	out = appendHex16(out, uint16(n>>16))
	return appendHex16(out, uint16(n))
}

func appendHex16(out []byte, n uint16) []byte {
	return append(out, hexDigits[n>>12], hexDigits[n>>8&15], hexDigits[n>>4&15], hexDigits[n&15])
}
