package packet

import "crypto/sha256"

// Segment identifies a TCP segment, so that a retransmission of it is found:
// same flow, sequence number, flags and payload. It is comparable. Window,
// acknowledgment number and options may differ, as they do when a sender
// repeats itself; but a SYN ACK that acknowledges another SYN is another
// connection's.
type Segment struct {
	Flow    Flow
	Seq     uint32
	Ack     uint32   // of a SYN, else 0
	Flags   uint8    // the eight bits from CWR to FIN, RFC 9293 section 3.1
	Len     int      // payload length in bytes
	Payload [32]byte // SHA-256 of the payload: strangers cannot make up a collision
}

// SegmentOf returns the identity of b. ok is false if b is no TCP segment, or
// a fragment, or Check finds a fault in it (a damaged copy is no
// retransmission), or if it carries no payload, SYN or FIN: an acknowledgment
// that is repeated means something of its own.
func SegmentOf(b []byte) (s Segment, ok bool) {
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
	if flags&0x02 != 0 {
		s.Ack = v.u32(v.up + 8)
	}
	return s, ok
}
