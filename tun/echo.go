package tun

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// An Echo is a socket on the peer that sends echo requests to the agent only.
// Its methods are safe for concurrent use.
type Echo interface {
	// Send sends one echo request. The payload may have up to 65,507 bytes, or
	// 65,527 with IPv6.
	Send(payload []byte, seq uint16) error

	// Receive waits for a reply, or for an ICMP error about a request. After Close
	// it returns net.ErrClosed.
	Receive() (EchoMessage, error)

	// Close ends the socket. Closing twice is allowed.
	Close() error
}

// An EchoMessage is an echo reply, or an ICMP error about an echo request.
type EchoMessage = netstack.EchoMessage

// OpenEcho opens an echo socket on the peer to the agent's IPv4 or IPv6
// address.
func (l *Link) OpenEcho(is6 bool) (Echo, error) {
	to, network := l.Agent(), "ip4"
	if is6 {
		to, network = l.Agent6(), "ip6"
	}
	if !to.IsValid() {
		return nil, fmt.Errorf("open an echo socket: the link has no %s address for the agent", network)
	}
	switch peer := l.inner().(type) {
	case *netstack.Stack:
		conn, err := peer.ListenEcho(network, 0)
		if err != nil {
			return nil, err
		}
		return echo{conn: conn, to: to}, nil
	case dialer:
		return openKernelEcho(peer, to)
	default:
		return nil, fmt.Errorf("open an echo socket: the peer of a %T has none; use a private, host or memory network", peer)
	}
}

// echo is a netstack echo socket and its only destination.
type echo struct {
	conn *netstack.EchoConn
	to   netip.Addr
}

func (e echo) Send(payload []byte, seq uint16) error { return e.conn.WriteTo(payload, e.to, seq) }

func (e echo) Receive() (EchoMessage, error) { return e.conn.ReadFrom(context.Background()) }

func (e echo) Close() error { return e.conn.Close() }
