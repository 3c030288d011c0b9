package netstack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// The longest payload of an echo request, in bytes.
const (
	MaxEcho  = 65507 // the longest IPv4 packet (65,535) without its header (20) and that of ICMP (8)
	MaxEcho6 = 65527 // the longest IPv6 payload (65,535) without the ICMPv6 header (8)
)

// An EchoConn sends echo requests and receives the replies and errors, like a ping
// socket of Linux (RFC 792, page 14; RFC 4443, section 4.1). It has its own identifier
// and does not see messages for other sockets.
type EchoConn struct {
	ep    tcpip.Endpoint
	is6   bool
	id    uint16
	inbox *inbox[EchoMessage]
	taps  *taps
	tap   *tap
}

// An EchoMessage is an echo reply, or an ICMP error about an echo request.
type EchoMessage struct {
	From       netip.Addr // the sender: for an error, usually not the host that was pinged
	Type, Code uint8      // of ICMP, or of ICMPv6 if From is an IPv6 address
	ID, Seq    uint16     // of the echo request
	TTL        uint8      // on arrival; the hop limit in IPv6
	Data       []byte     // the echoed payload; for an error, the quoted start of it, perhaps empty
	Received   time.Time  // when the stack got the packet that completed the message
}

// IsReply reports whether m is an echo reply rather than an error.
func (m EchoMessage) IsReply() bool {
	if m.From.Is4() {
		return m.Type == uint8(header.ICMPv4EchoReply)
	}
	return m.Type == uint8(header.ICMPv6EchoReply)
}

// ListenEcho opens an echo socket. The network is "ip4" or "ip6". id is the identifier
// of its requests; zero means any free one, see ID. If another EchoConn uses the id, the
// error wraps syscall.EADDRINUSE.
func (s *Stack) ListenEcho(network string, id uint16) (*EchoConn, error) {
	fail := func(err error) (*EchoConn, error) {
		return nil, fmt.Errorf("open echo socket, network %s, id %d: %w", network, id, kernelError(err))
	}
	c := &EchoConn{is6: network == "ip6", inbox: newInbox[EchoMessage]()}
	transport, family := icmp.ProtocolNumber4, ipv4.ProtocolNumber
	switch {
	case s.done.Err() != nil:
		return fail(net.ErrClosed)
	case network != "ip4" && network != "ip6":
		return fail(errors.New("unknown network; use ip4 or ip6"))
	case c.is6 && !s.addr6.IsValid():
		return fail(errors.New("IPv6 is off on this stack"))
	case c.is6:
		transport, family = icmp.ProtocolNumber6, ipv6.ProtocolNumber
	}
	wq := new(waiter.Queue)
	ep, fault := s.ip.NewEndpoint(transport, family, wq)
	if fault != nil {
		return fail(plainError(fault))
	}
	c.ep = ep
	options := ep.SocketOptions()
	options.SetReceiveTTL(true)
	options.SetReceiveHopLimit(true)
	// Without these, a request would be silently lost if the outgoing queue is full,
	// as on Linux.
	options.SetIPv4RecvError(true)
	options.SetIPv6RecvError(true)

	entry := waiter.NewFunctionEntry(waiter.ReadableEvents|waiter.EventHUp, func(waiter.EventMask) { c.drain() })
	wq.EventRegister(&entry)
	if fault := ep.Bind(tcpip.FullAddress{Port: id}); fault != nil {
		ep.Close()
		return fail(plainError(fault))
	}
	// For an ICMP endpoint, the port is the identifier.
	local, fault := ep.GetLocalAddress()
	if fault != nil {
		ep.Close()
		return fail(plainError(fault))
	}
	c.id = local.Port
	c.taps, c.tap = &s.taps, &tap{hear: c.hear, end: c.inbox.close}
	s.taps.add(c.tap)
	return c, nil
}

// ID returns the identifier of this socket's echo requests.
func (c *EchoConn) ID() uint16 { return c.id }

// WriteTo sends one echo request, fragmented if necessary, to an address of this
// socket's family. The payload has 0 to MaxEcho bytes (IPv6: MaxEcho6). If the outgoing
// queue is full, the error wraps syscall.ENOBUFS.
func (c *EchoConn) WriteTo(payload []byte, to netip.Addr, seq uint16) error {
	fail := func(err error) error {
		return fmt.Errorf("send echo request of %d bytes to %s: %w", len(payload), to, kernelError(err))
	}
	to = to.Unmap()
	if !to.IsValid() || to.Is6() != c.is6 {
		return fail(errors.New("not an address of this socket's family"))
	}
	most := MaxEcho
	if c.is6 {
		most = MaxEcho6
	}
	if len(payload) > most {
		return fail(fmt.Errorf("at most %d bytes fit", most))
	}
	// gVisor fills in the identifier and the checksum.
	message := make([]byte, header.ICMPv4MinimumSize+len(payload))
	message[0] = uint8(header.ICMPv4Echo)
	if c.is6 {
		message[0] = uint8(header.ICMPv6EchoRequest)
	}
	binary.BigEndian.PutUint16(message[6:], seq)
	copy(message[header.ICMPv4MinimumSize:], payload)

	_, fault := c.ep.Write(bytes.NewReader(message), tcpip.WriteOptions{
		To: &tcpip.FullAddress{Addr: tcpip.AddrFromSlice(to.AsSlice())},
	})
	if fault != nil {
		return fail(plainError(fault))
	}
	return nil
}

// ReadFrom returns the next message. If there is none, it waits until ctx ends (and
// wraps its error) or the socket or the stack is closed (net.ErrClosed). Up to 1,024
// messages can wait; see Dropped.
func (c *EchoConn) ReadFrom(ctx context.Context) (EchoMessage, error) {
	m, err := c.inbox.get(ctx)
	if err != nil {
		return m, fmt.Errorf("wait for echo reply: %w", err)
	}
	return m, nil
}

// Dropped returns how many messages were lost because nobody read them in time.
func (c *EchoConn) Dropped() uint64 { return c.inbox.lost.Load() }

// SetTTL sets the TTL (IPv6: hop limit) of later requests, 1 to 255.
func (c *EchoConn) SetTTL(ttl int) error {
	if err := setTTL(c.ep, ttl); err != nil {
		return fmt.Errorf("set TTL of echo requests: %w", err)
	}
	return nil
}

// Close ends the socket and wakes a ReadFrom. Closing twice is allowed.
func (c *EchoConn) Close() error {
	c.taps.remove(c.tap)
	c.ep.Close()
	c.inbox.close()
	return nil
}

// drain moves received messages to the inbox. The stack calls it during Write, so the
// current time is the time of arrival.
func (c *EchoConn) drain() {
	for {
		var b bytes.Buffer
		result, fault := c.ep.Read(&b, tcpip.ReadOptions{NeedRemoteAddr: true})
		if _, closed := fault.(*tcpip.ErrClosedForReceive); closed {
			c.inbox.close() // closed by Close or with the stack
		}
		if fault != nil {
			return
		}
		reply := b.Bytes() // header and data; gVisor has checked the header's length
		from, _ := netip.AddrFromSlice(result.RemoteAddr.Addr.AsSlice())
		m := EchoMessage{
			From:     from,
			Type:     reply[0],
			Code:     reply[1],
			ID:       c.id,
			Seq:      binary.BigEndian.Uint16(reply[6:]),
			TTL:      result.ControlMessages.TTL,
			Data:     reply[header.ICMPv4MinimumSize:],
			Received: time.Now(),
		}
		if c.is6 {
			m.TTL = uint8(result.ControlMessages.HopLimit)
		}
		c.inbox.put(m)
	}
}

// hear passes an ICMP error to the inbox if it is about a request from this socket.
func (c *EchoConn) hear(e ICMPError) {
	if e.Echo && e.ID == c.id && e.From.Is6() == c.is6 {
		c.inbox.put(EchoMessage{From: e.From, Type: e.Type, Code: e.Code, ID: e.ID, Seq: e.Seq, TTL: e.TTL, Data: e.Data, Received: e.Received})
	}
}
