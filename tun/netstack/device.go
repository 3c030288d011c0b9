package netstack

import (
	"errors"
	"fmt"
	"os"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// The errors of Read and Write.
var (
	errReadClosed  = fmt.Errorf("read from network stack: %w", os.ErrClosed)
	errWriteClosed = fmt.Errorf("write to network stack: %w", os.ErrClosed)
	errWriteEmpty  = errors.New("write to network stack: the packet is empty; write a whole IPv4 or IPv6 packet")
)

// Read waits for the next packet that the stack sends, copies it into p and returns its
// length in bytes. If p is too short, the packet is truncated. After Close the error
// wraps os.ErrClosed, also for a Read that was waiting.
func (s *Stack) Read(p []byte) (int, error) {
	if s.done.Err() != nil {
		return 0, errReadClosed
	}
	pkt := s.link.ReadContext(s.done)
	if pkt == nil {
		return 0, errReadClosed
	}
	defer pkt.DecRef()

	n := 0
	for _, slice := range pkt.AsSlices() {
		n += copy(p[n:], slice)
	}
	return n, nil
}

// Write hands one packet to the stack. When Write returns, the stack has processed it:
// echo replies and ICMP errors are already queued. Only TCP works asynchronously.
// Success does not mean that the stack accepts the packet, since it silently drops
// faulty ones. Only a packet that is neither IPv4 nor IPv6 is an error, as with the
// kernel's TUN device. After Close the error wraps os.ErrClosed.
func (s *Stack) Write(p []byte) (int, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		return 0, errWriteClosed
	}
	if len(p) == 0 {
		return 0, errWriteEmpty
	}
	protocol := ipv4.ProtocolNumber
	switch version := header.IPVersion(p); version {
	case header.IPv4Version:
		if !s.wants4(p) {
			return len(p), nil
		}
	case header.IPv6Version:
		protocol = ipv6.ProtocolNumber
	default:
		return 0, fmt.Errorf("write to network stack: the packet's IP version is %d; write a whole IPv4 or IPv6 packet", version)
	}

	s.taps.see(p, s.isOwn)
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(p)})
	defer pkt.DecRef()
	s.link.InjectInbound(protocol, pkt)
	return len(p), nil
}

// wants4 reports whether gVisor should get an IPv4 packet. It should not get ICMP to
// broadcast or multicast addresses, since it would answer such pings. Linux does not
// (RFC 1122, section 3.2.2.6, leaves it open).
func (s *Stack) wants4(p []byte) bool {
	h := header.IPv4(p)
	if len(h) < header.IPv4MinimumSize || h.Protocol() != uint8(header.ICMPv4ProtocolNumber) {
		return true
	}
	return h.DestinationAddress().As4() == s.addr4.As4()
}

// isOwn reports whether an ICMP error is about a packet from this stack.
func (s *Stack) isOwn(e ICMPError) bool {
	src := e.Src.Addr()
	return src == s.addr4 || src == s.addr6
}

// Dropped returns how many of the stack's packets were lost because the queue was full.
// Packets still queued at Close do not count.
func (s *Stack) Dropped() uint64 { return s.link.dropped.Load() }

// Close ends the stack, its sockets and its goroutines. A blocked Read, socket call or
// dial returns an error. Closing twice is allowed and returns nil.
func (s *Stack) Close() error {
	s.end()
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true

	s.ip.Close()
	// Wait for the goroutines of TCP, but not with s.ip.Wait, which would wait until
	// every TCP connection has reached its final state.
	s.ip.TransportProtocolInstance(tcp.ProtocolNumber).Wait()
	s.ip.RemoveNIC(nicID)
	s.link.Close() // drops queued packets, including the sockets' last resets
	s.taps.close()
	return nil
}
