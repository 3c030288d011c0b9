package trial

import "github.com/tun-mcp/tun-mcp/packet"

// closing are the TCP connections of requests that are over: the last segments
// of one may cross the link while the next request begins.
type closing map[packet.Flow]bool

// add takes on the connections that a request's packets are of.
func (c closing) add(packets [][]byte) {
	for _, b := range packets {
		if flow, ok := connectionOf(b); ok {
			c[flow] = true
		}
	}
}

// has tells whether a packet of the peer's is of one of them. A SYN begins a
// connection, also where ports are used again.
func (c closing) has(b []byte) bool {
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

// opens tells a SYN of a segment over IPv4 (RFC 9293 section 3.1).
func opens(b []byte) bool {
	const syn, ack = 0x02, 0x10
	flags := int(b[0]&15)*4 + 13
	return b[0]>>4 == 4 && flags < len(b) && b[flags]&(syn|ack) == syn
}
