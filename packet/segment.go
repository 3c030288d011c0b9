package packet

import "crypto/sha256"

// Segment identifies a TCP segment by flow, sequence number, flags and payload, so
// that a retransmission is found. It is comparable. Window, acknowledgment number and
// options may differ, as they do in retransmissions. In a SYN ACK the acknowledgment
// number counts, since it tells connections apart.
type Segment struct {
	Flow    Flow
	Seq     uint32
	Ack     uint32   // for a SYN or SYN ACK; otherwise 0
	Flags   uint8    // the eight bits from CWR to FIN, RFC 9293 section 3.1
	Len     int      // payload length in bytes
	Payload [32]byte // SHA-256 of the payload, so that nobody can forge a collision
}

// SegmentOf returns the identity of b. ok is false if b is not a TCP segment, is a
// fragment, or has a fault (see Check), since a damaged copy is not a retransmission.
// It is also false without payload, SYN or FIN, since a repeated acknowledgment has a
// meaning of its own.
func SegmentOf(b []byte) (s Segment, ok bool) {
	if !mayBeTCP(b) {
		return Segment{}, false
	}
	v := parse(b)
	if v.kind != kindTCP || v.frag || len(v.check()) > 0 {
		return Segment{}, false
	}
	payload := v.b[v.up+v.tcpHeader() : v.end]
	flags := v.b[v.up+13]
	if len(payload) == 0 && flags&0x03 == 0 {
		return Segment{}, false
	}
	s.Flow, ok = v.flow()
	s.Seq, s.Flags, s.Len, s.Payload = v.u32(v.up+4), flags, len(payload), sha256.Sum256(payload)
	if s.SYN() {
		s.Ack = v.u32(v.up + 8)
	}
	return s, ok
}

// SYN reports whether s has the SYN flag.
func (s Segment) SYN() bool { return s.Flags&tcpSYN != 0 }

// SYNOf is SegmentOf for segments with SYN. For others it is faster and ok is false.
func SYNOf(b []byte) (s Segment, ok bool) {
	if !mayBeTCP(b) {
		return Segment{}, false
	}
	v := parse(b)
	if v.kind != kindTCP || v.frag || v.bad.Field != "" || v.b[v.up+13]&tcpSYN == 0 {
		return Segment{}, false
	}
	return SegmentOf(b)
}

// mayBeTCP reports false for packets of other protocols, at a glance: a session
// asks about every packet, several times.
func mayBeTCP(b []byte) bool {
	switch {
	case len(b) < ipv4Min:
		return false
	case b[0]>>4 == 4:
		return b[9] == protoTCP
	}
	return b[6] != protoICMPv6 && b[6] != protoUDP // else TCP or an extension header
}
