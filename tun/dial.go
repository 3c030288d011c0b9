package tun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// A dialer is a device that can also open its peer's sockets.
type dialer interface {
	// dial is like DialContext. The network is tcp4, tcp6, udp4 or udp6, or for a
	// ping socket icmp4 or icmp6, and matches the address's family.
	dial(ctx context.Context, network string, to netip.AddrPort, ttl int) (net.Conn, error)
}

// errLinkClosed is the error of a dial after the link has closed.
const errLinkClosed = ending("the link is closed")

// DialContext connects from the peer, not from this machine, to an address like
// "10.77.0.2:80". The socket belongs to the peer's stack. The network is tcp, udp,
// tcp4, tcp6, udp4 or udp6; names are not resolved. ttl is the TTL (IPv6: hop limit) of
// all packets of the connection, 1 to 255, or 0 for the stack's default.
//
// In the private and host networks the connection is a *net.TCPConn or a *net.UDPConn.
// TCP sends no keep-alives, since each would cost the agent a turn. Close the
// connection even if the link has ended: its socket outlives the link.
//
// Errors are *net.OpError and wrap the kernel's error, like syscall.ECONNREFUSED. If
// ctx ends first they wrap its error, and for a deadline also os.ErrDeadlineExceeded.
// If the link is closed they wrap os.ErrClosed.
func (l *Link) DialContext(ctx context.Context, network, address string, ttl int) (net.Conn, error) {
	to, exact, err := parseTarget(network, address)
	if err == nil && (ttl < 0 || ttl > 255) {
		err = fmt.Errorf("TTL %d is out of range; use 1 to 255, or 0 for the stack's default", ttl)
	}
	if err != nil {
		return nil, dialError(network, address, err)
	}
	var conn net.Conn
	switch peer := l.inner().(type) {
	case *netstack.Stack:
		conn, err = peer.DialTTL(ctx, exact, to.String(), ttl)
		if errors.Is(err, net.ErrClosed) {
			err = errLinkClosed
		}
	case dialer:
		conn, err = peer.dial(ctx, exact, to, ttl)
	default:
		err = fmt.Errorf("the peer of a %T has no sockets; use a private, host or memory network", peer)
	}
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil && !errors.Is(err, os.ErrClosed) {
		err = &cutShort{ctx.Err()}
	}
	return nil, dialError(network, address, err)
}

// inner unwraps the device completely.
func (l *Link) inner() Device {
	d := l.Device
	for {
		outer, ok := d.(interface{ Unwrap() Device })
		if !ok {
			return d
		}
		d = outer.Unwrap()
	}
}

// parseTarget parses a network and an address in the form of package net. The exact
// network includes the address family.
func parseTarget(network, address string) (to netip.AddrPort, exact string, err error) {
	var version string
	switch network {
	case "tcp", "udp":
	case "tcp4", "tcp6", "udp4", "udp6":
		version = network[3:]
	default:
		return to, "", net.UnknownNetworkError(network)
	}
	to, err = netip.ParseAddrPort(address)
	if err != nil {
		return to, "", &net.AddrError{Err: "not an IP address and a port; use one like 10.77.0.2:80 or [2001:db8:77::2]:80", Addr: address}
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	family := "6"
	if to.Addr().Is4() {
		family = "4"
	}
	switch {
	case version != "" && version != family:
		return to, "", &net.AddrError{Err: "not an address of network " + network, Addr: address}
	case to.Addr().Zone() != "":
		return to, "", &net.AddrError{Err: "zones do not exist on this link; use a global address", Addr: address}
	case to.Addr().IsUnspecified():
		return to, "", &net.AddrError{Err: "not the address of a host; use the agent's", Addr: address}
	}
	return to, network[:3] + family, nil
}

// dialError returns the error of a dial as a *net.OpError.
func dialError(network, address string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return &net.OpError{Op: "dial", Net: network, Addr: target{network, address}, Err: err}
}

// A target is an address to dial, as the caller wrote it.
type target struct{ network, address string }

func (t target) Network() string { return t.network }
func (t target) String() string  { return t.address }

// A cutShort is the error of a dial whose context ended first.
type cutShort struct{ cause error }

func (e *cutShort) Error() string {
	if e.Timeout() {
		return "nobody answered before the deadline"
	}
	return "cancelled before anybody answered"
}

func (e *cutShort) Unwrap() error { return e.cause }

func (e *cutShort) Is(target error) bool { return e.Timeout() && target == os.ErrDeadlineExceeded }

// Timeout implements net.Error.
func (e *cutShort) Timeout() bool { return errors.Is(e.cause, context.DeadlineExceeded) }
