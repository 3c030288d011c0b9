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

// An EchoConn sends echo requests and receives what comes back for them, as
// Linux's ping socket does (RFC 792, page 14; RFC 4443, section 4.1). It has an
// identifier of its own and sees no other socket's messages.
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
	From       netip.Addr // who sent it: for an error not the host that was pinged
	Type, Code uint8      // of ICMP, or of ICMPv6 if From is an IPv6 address
	ID, Seq    uint16     // of the echo request
	TTL        uint8      // as it arrived; the hop limit in IPv6
	Data       []byte     // what was echoed; in an error, the start of what was sent, possibly nothing
	Received   time.Time  // when the stack was handed the packet that completed it
}

// IsReply tells an echo reply from an error.
func (m EchoMessage) IsReply() bool {
	if m.From.Is4() {
		return m.Type == uint8(header.ICMPv4EchoReply)
	}
	return m.Type == uint8(header.ICMPv6EchoReply)
}

// ListenEcho opens an echo socket. The network is "ip4" or "ip6". The id is
// the identifier of its requests; zero takes a free one, see ID. An id in use
// by another EchoConn is refused (syscall.EADDRINUSE).
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
	// Without these a request that found the outgoing queue full would be
	// lost without a word, as on Linux.
	options.SetIPv4RecvError(true)
	options.SetIPv6RecvError(true)

	entry := waiter.NewFunctionEntry(waiter.ReadableEvents|waiter.EventHUp, func(waiter.EventMask) { c.drain() })
	wq.EventRegister(&entry)
	if fault := ep.Bind(tcpip.FullAddress{Port: id}); fault != nil {
		ep.Close()
		return fail(plainError(fault))
	}
	// An endpoint of ICMP has its identifier where others have their port.
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

// ID is the identifier of this socket's echo requests.
func (c *EchoConn) ID() uint16 { return c.id }

// WriteTo sends one echo request with payload, 0 to MaxEcho bytes (IPv6:
// MaxEcho6), to an address of this socket's family; it is fragmented as needed. A request that
// found the outgoing queue full is an error that wraps syscall.ENOBUFS.
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

// ReadFrom waits for the next message, until ctx ends (its error) or the
// socket or the stack is closed (net.ErrClosed). A message that waits is given
// out even if ctx has ended. 1,024 messages wait at most; see Dropped.
func (c *EchoConn) ReadFrom(ctx context.Context) (EchoMessage, error) {
	m, err := c.inbox.get(ctx)
	if err != nil {
		return m, fmt.Errorf("wait for echo reply: %w", err)
	}
	return m, nil
}

// Dropped is how many messages were lost because nobody read them in time.
func (c *EchoConn) Dropped() uint64 { return c.inbox.lost.Load() }

// SetTTL sets the TTL (IPv6: hop limit) of the requests that follow, 1 to 255.
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

// drain moves what has come to the inbox. The stack calls it from within
// Write, so the time is that of arrival.
func (c *EchoConn) drain() {
	for {
		var b bytes.Buffer
		result, fault := c.ep.Read(&b, tcpip.ReadOptions{NeedRemoteAddr: true})
		if _, closed := fault.(*tcpip.ErrClosedForReceive); closed {
			c.inbox.close() // by Close, or with the whole stack
		}
		if fault != nil {
			return
		}
		reply := b.Bytes() // header and data; gVisor checked that the header is there
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

// hear picks the ICMP errors about this socket's requests from all.
func (c *EchoConn) hear(e ICMPError) {
	if e.Echo && e.ID == c.id && e.From.Is6() == c.is6 {
		c.inbox.put(EchoMessage{From: e.From, Type: e.Type, Code: e.Code, ID: e.ID, Seq: e.Seq, TTL: e.TTL, Data: e.Data, Received: e.Received})
	}
}
