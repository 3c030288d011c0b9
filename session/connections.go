package session

import "github.com/tun-mcp/tun-mcp/packet"

// connections tells TCP connections with the same addresses and ports apart. By the
// flow of the peer's segments it has the newest one, while the record has the segment
// that began it.
type connections map[packet.Flow]connection

type connection struct {
	first int    // number of the peer's SYN or SYN ACK
	isn   uint32 // the peer's initial sequence number; the agent's may be the same each time
}

// opened records a segment of the peer that the agent or the handler has got. A SYN or
// SYN ACK begins a connection, unless it has the sequence number of the newest one:
// then it is a retransmission, even if its flags or data are different.
func (x connections) opened(s packet.Segment, number int) {
	if !s.SYN() {
		return
	}
	if c := x[s.Flow]; c.first == 0 || c.isn != s.Seq && c.first < number {
		x[s.Flow] = connection{number, s.Seq}
	}
}

// current returns number, or 0 if that packet is of an earlier connection. Flow is the
// one of the peer.
func (x connections) current(flow packet.Flow, number int) int {
	if number != 0 && number < x[flow].first {
		return 0
	}
	return number
}

// forget removes a segment that leaves the record. All packets of earlier connections
// have left before.
func (x connections) forget(s packet.Segment, number int) {
	if s.SYN() && x[s.Flow].first == number {
		delete(x, s.Flow)
	}
}
