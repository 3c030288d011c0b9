package netstack

import (
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// A link is the stack's network card: gVisor's bounded queue of outgoing packets, and a
// count of packets lost because it was full.
//
// It declares no capabilities, and this has three effects: gVisor computes every
// outgoing checksum and verifies every incoming one, no segment is longer than the MTU,
// and no address is resolved, since there are no link-layer addresses.
type link struct {
	*channel.Endpoint
	dropped atomic.Uint64
}

func newLink(queue, mtu int) *link {
	return &link{Endpoint: channel.New(queue, uint32(mtu), "")}
}

// WritePackets queues packets from the stack. It never blocks.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	sent, err := l.Endpoint.WritePackets(pkts)
	if err != nil {
		return sent, err // closed
	}
	if lost := pkts.Len() - sent; lost > 0 {
		l.dropped.Add(uint64(lost))
		// gVisor's queue does not report that it is full. With this error, TCP
		// retransmits the segment and an echo socket reports the loss.
		return sent, &tcpip.ErrNoBufferSpace{}
	}
	return sent, nil
}
