package netstack

import (
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// A link is the stack's network card: gVisor's bounded queue of outgoing
// packets, and a count of those that found it full.
//
// It declares no capability, and that matters three times: every checksum is
// computed on the way out and verified on the way in, no segment is longer
// than the MTU, and no address is resolved, as there are no link addresses.
type link struct {
	*channel.Endpoint
	dropped atomic.Uint64
}

func newLink(queue, mtu int) *link {
	return &link{Endpoint: channel.New(queue, uint32(mtu), "")}
}

// WritePackets queues what the stack sends. It never blocks.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	sent, err := l.Endpoint.WritePackets(pkts)
	if err != nil {
		return sent, err // closed
	}
	if lost := pkts.Len() - sent; lost > 0 {
		l.dropped.Add(uint64(lost))
		// The queue below says nothing of a full queue. Told of it, TCP sends
		// the segment again and an echo socket reports the loss.
		return sent, &tcpip.ErrNoBufferSpace{}
	}
	return sent, nil
}
