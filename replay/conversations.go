package replay

import (
	"net/netip"

	"github.com/tun-mcp/tun-mcp/packet"
)

// conversations records which end of each conversation spoke first. A capture may have any
// number of them, so a map that has maxConversations entries is cleared.
type conversations struct {
	begun map[ends]bool
	side  map[packet.Fragment]bool // of fragmented packets: whether they are from the end that spoke first
}

func newConversations() conversations {
	return conversations{make(map[ends]bool), make(map[packet.Fragment]bool)}
}

// maxConversations bounds the memory, at some 100 bytes for each entry.
const maxConversations = 1 << 16

// ends are the two ends of a conversation, first the one that spoke first. Ports are 0 if the
// packet does not show them.
type ends struct {
	src, dst         netip.Addr
	srcPort, dstPort uint16
}

// firstSide reports whether a packet is from the end of its conversation that spoke first. A
// later fragment has no ports, so it is on the side of its first fragment. If that has not come
// before, only its addresses count.
func (c conversations) firstSide(b []byte) bool {
	part, offset, isPart := packet.FragmentOf(b)
	if side, known := c.side[part]; isPart && offset > 0 && known {
		return side
	}
	side := c.spokeFirst(b)
	if isPart && offset == 0 {
		if len(c.side) >= maxConversations {
			clear(c.side)
		}
		c.side[part] = side
	}
	return side
}

// spokeFirst is firstSide for a packet that has its ports, if any. The packet may be cut off.
func (c conversations) spokeFirst(b []byte) bool {
	src, dst, ok := packet.Addresses(b)
	if !ok {
		return true
	}
	e := ends{src: src, dst: dst}
	if flow, ok := packet.FlowOfCut(b); ok && (flow.Protocol == 6 || flow.Protocol == 17) {
		e.srcPort, e.dstPort = flow.A, flow.B
	}
	if c.begun[ends{e.dst, e.src, e.dstPort, e.srcPort}] {
		return false
	}
	if len(c.begun) >= maxConversations {
		clear(c.begun)
	}
	c.begun[e] = true
	return true
}
