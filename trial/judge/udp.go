package judge

import (
	"encoding/binary"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// compareDatagram compares the answer of a UDP echo service (RFC 862) with the required
// one. The answer must have a checksum, although UDP over IPv4 does not require one (RFC
// 768).
func (r *reply) compareDatagram(a *answer, body []byte) (f findings) {
	switch {
	case a.protocol != protocolUDP:
		f.add(score.FaultType, "the protocol is %d, should be %d", a.protocol, protocolUDP)
		return f
	case len(body) < 8:
		f.add(score.FaultLength, "the UDP datagram has %d bytes, at least 8 are needed", len(body))
		return f
	}
	body = withoutSurplus(&a.first().datagram, body)
	given, want := checksumAt(body, 6, pseudoHeader(a.first().src, a.first().dst, protocolUDP, len(body)))
	switch {
	case given == 0:
		f.add(score.FaultTransportChecksum, "the UDP checksum is 0, which means none; should be 0x%04x", nonzero(want))
	case given != want && (given != 0xffff || want != 0):
		f.add(score.FaultTransportChecksum, "the UDP checksum is 0x%04x, should be 0x%04x", given, want)
	}
	if length := int(binary.BigEndian.Uint16(body[4:])); length != len(body) {
		f.add(score.FaultLength, "the UDP length is %d, the datagram has %d bytes", length, len(body))
	}
	for at, side := range []string{"source", "destination"} {
		if port, want := binary.BigEndian.Uint16(body[2*at:]), binary.BigEndian.Uint16(r.body[2*at:]); port != want {
			f.add(score.FaultAddresses, "the %s port is %d, should be %d", side, port, want)
		}
	}
	data, wantData := body[8:], r.body[8:]
	if len(data) != len(wantData) {
		f.add(score.FaultPayload, "%d bytes of data, should be %d", len(data), len(wantData))
	} else if i := firstDifference(data, wantData); i >= 0 {
		f.add(score.FaultPayload, "byte %d of the data is 0x%02x, should be 0x%02x", i, data[i], wantData[i])
	}
	return f
}

// shownSum reports whether an answer is a datagram whose checksum compare judges.
func (r *reply) shownSum(a *answer) bool {
	if a.first().version != r.version || a.missing != "" || a.protocol != protocolUDP {
		return false
	}
	body, _ := r.compareBest(a)
	return len(body) >= 8
}

// portsOf is echoOf for a UDP datagram, with its ports in place of the identifier and
// sequence number.
func portsOf(body []byte) (ports uint32, data []byte, ok bool) {
	if len(body) < 8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(body), body[8:], true
}

// nonzero returns a checksum as UDP writes it: 0 becomes 0xffff (RFC 768).
func nonzero(sum uint16) uint16 {
	if sum == 0 {
		return 0xffff
	}
	return sum
}
