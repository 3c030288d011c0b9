package netstack

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/waiter"
)

// A udpConn is gonet's UDP socket with the errors of package net, including refused
// datagrams, and with a TTL.
type udpConn struct {
	*gonet.UDPConn
	ep     tcpip.Endpoint
	local  net.Addr
	closed atomic.Bool
}

// newUDPConn wraps an endpoint whose events arrive at wq.
//
// gonet's Read waits only for data and would miss an ICMP error, which gVisor signals as
// an error event. So gonet gets its own queue, to which all events are forwarded, with
// errors as readable data. Read then wakes up and finds the error.
func newUDPConn(wq *waiter.Queue, ep tcpip.Endpoint) *udpConn {
	relay := new(waiter.Queue)
	entry := waiter.NewFunctionEntry(waiter.AllEvents, func(events waiter.EventMask) {
		if events&waiter.EventErr != 0 {
			events |= waiter.ReadableEvents
		}
		relay.Notify(events)
	})
	wq.EventRegister(&entry)
	c := &udpConn{UDPConn: gonet.NewUDPConn(relay, ep), ep: ep}
	c.local = c.UDPConn.LocalAddr()
	return c
}

func (c *udpConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

func (c *udpConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(p)
	if err == io.EOF {
		err = net.ErrClosed // the stack was closed
	}
	return n, from, c.wrap("read", err)
}

func (c *udpConn) Write(p []byte) (int, error) {
	n, err := c.UDPConn.Write(p)
	return n, c.wrap("write", err)
}

// WriteTo sends a datagram to addr, which must be a *net.UDPAddr.
func (c *udpConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	to, ok := addr.(*net.UDPAddr)
	if !ok || to == nil {
		return 0, c.wrap("write", errors.New("the address must be a *net.UDPAddr"))
	}
	// gVisor tells the families apart only by length.
	if ip4 := to.IP.To4(); ip4 != nil {
		to = &net.UDPAddr{IP: ip4, Port: to.Port}
	}
	n, err := c.UDPConn.WriteTo(p, to)
	return n, c.wrap("write", err)
}

func (c *udpConn) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", net.ErrClosed)
	}
	return c.UDPConn.Close()
}

func (c *udpConn) LocalAddr() net.Addr { return c.local }

// SetTTL sets the TTL (IPv6: hop limit) of later datagrams, 1 to 255.
func (c *udpConn) SetTTL(ttl int) error { return c.wrap("set TTL", setTTL(c.ep, ttl)) }

func (c *udpConn) wrap(op string, err error) error {
	return sockError(op, c.local, c.RemoteAddr(), c.closed.Load(), err)
}

// setTTL sets the TTL and the hop limit. A socket for both families needs both; for the
// others, the second has no effect.
func setTTL(ep tcpip.Endpoint, ttl int) error {
	if ttl < 1 || ttl > 255 {
		return fmt.Errorf("%d is out of range; use 1 to 255", ttl)
	}
	if err := ep.SetSockOptInt(tcpip.IPv4TTLOption, ttl); err != nil {
		return plainError(err)
	}
	return plainError(ep.SetSockOptInt(tcpip.IPv6HopLimitOption, ttl))
}
