package traffic

import "github.com/tun-mcp/tun-mcp/packet"

// oldConnections holds the TCP connections of earlier requests. Their last segments may
// cross the link after the next request has begun.
type oldConnections map[packet.Flow]bool

// add adds the connections of a request's packets.
func (c oldConnections) add(packets [][]byte) {
	for _, b := range packets {
		if flow, ok := connectionOf(b); ok {
			c[flow] = true
		}
	}
}

// has reports whether a packet from the peer belongs to one of them. A SYN begins a new
// connection, even on the same ports.
func (c oldConnections) has(b []byte) bool {
	flow, ok := connectionOf(b)
	if ok && opens(b) {
		delete(c, flow)
	}
	return ok && c[flow]
}

func connectionOf(b []byte) (packet.Flow, bool) {
	const tcp = 6
	flow, ok := packet.FlowOf(b)
	return flow, ok && flow.Protocol == tcp
}

// opens reports whether b is a TCP SYN without ACK over IPv4 (RFC 9293 section 3.1).
func opens(b []byte) bool {
	const syn, ack = 0x02, 0x10
	flags := int(b[0]&15)*4 + 13
	return b[0]>>4 == 4 && flags < len(b) && b[flags]&(syn|ack) == syn
}
