package netstack

import (
	"context"
	"errors"
	"net"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// backlog is how many connections can wait for Accept, as net.core.somaxconn is by
// default on Linux.
const backlog = 4096

// DialContext connects to address, such as "10.77.0.2:80" or "[2001:db8:77::2]:80", like
// net.Dialer. The network is tcp, tcp4, tcp6, udp, udp4 or udp6. Names are not resolved.
// Errors are *net.OpError and wrap the same errors as those of the kernel:
// syscall.ECONNREFUSED, ENETUNREACH, ETIMEDOUT.
//
// If a datagram is refused, the next Read or Write on its UDP connection returns
// ECONNREFUSED.
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return s.DialTTL(ctx, network, address, 0)
}

// DialTTL is like DialContext with a TTL (IPv6: hop limit) for all packets of the
// connection, including TCP's SYN: 1 to 255, or 0 for the stack's default.
func (s *Stack) DialTTL(ctx context.Context, network, address string, ttl int) (net.Conn, error) {
	to, err := s.resolve(network, address)
	if err == nil && to.addr.Addr.BitLen() == 0 {
		err = errors.New("the host is missing; use an address on the link, such as " + s.addr4.Next().String())
	}
	if err != nil {
		return nil, opError("dial", network, address, err)
	}
	if to.udp {
		conn, err := s.newUDP(to, tcpip.Endpoint.Connect)
		if err == nil && ttl != 0 {
			if err = setTTL(conn.ep, ttl); err != nil {
				conn.Close()
			}
		}
		if err != nil {
			return nil, opError("dial", network, address, err)
		}
		return conn, nil
	}
	conn, err := s.connectTCP(ctx, to, ttl)
	if err != nil {
		return nil, opError("dial", network, address, err)
	}
	return conn, nil
}

// connectTCP is gonet.DialContextTCP with a TTL.
func (s *Stack) connectTCP(ctx context.Context, to place, ttl int) (*tcpConn, error) {
	wq := new(waiter.Queue)
	ep, fault := s.ip.NewEndpoint(tcp.ProtocolNumber, to.family, wq)
	if fault != nil {
		return nil, plainError(fault)
	}
	entry, writable := waiter.NewChannelEntry(waiter.WritableEvents)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)

	err := ctx.Err()
	if err == nil && ttl != 0 {
		err = setTTL(ep, ttl)
	}
	if err != nil {
		ep.Close()
		return nil, err
	}
	fault = ep.Connect(to.addr)
	if _, started := fault.(*tcpip.ErrConnectStarted); started {
		select {
		case <-ctx.Done():
			ep.Close()
			return nil, ctx.Err()
		case <-writable:
		}
		fault = ep.LastError()
	}
	if fault != nil {
		ep.Close()
		return nil, plainError(fault)
	}
	return newTCPConn(gonet.NewTCPConn(wq, ep)), nil
}

// Listen listens for TCP connections on address: ":80" for any address of this stack, or
// "10.77.0.1:80". The network is tcp, tcp4 or tcp6. Without a host, tcp accepts both
// families. Port 0 means any free port, see Addr.
func (s *Stack) Listen(network, address string) (net.Listener, error) {
	at, err := s.resolve(network, address)
	if err == nil && at.udp {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, opError("listen", network, address, err)
	}
	wq := new(waiter.Queue)
	ep, fault := s.ip.NewEndpoint(tcp.ProtocolNumber, at.family, wq)
	if fault != nil {
		return nil, opError("listen", network, address, plainError(fault))
	}
	ep.SocketOptions().SetV6Only(at.only6)
	// A restarted server must not wait for its old connections, as in package net.
	ep.SocketOptions().SetReuseAddress(true)
	if fault = ep.Bind(at.addr); fault == nil {
		fault = ep.Listen(backlog)
	}
	if fault != nil {
		ep.Close()
		return nil, opError("listen", network, address, plainError(fault))
	}
	return newTCPListener(gonet.NewTCPListener(s.ip, wq, ep)), nil
}

// ListenPacket listens for UDP datagrams on address, with the same rules as Listen. The
// network is udp, udp4 or udp6.
func (s *Stack) ListenPacket(network, address string) (net.PacketConn, error) {
	at, err := s.resolve(network, address)
	if err == nil && !at.udp {
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, opError("listen", network, address, err)
	}
	conn, err := s.newUDP(at, tcpip.Endpoint.Bind)
	if err != nil {
		return nil, opError("listen", network, address, err)
	}
	return conn, nil
}

// newUDP makes a UDP socket and calls attach to connect or bind it.
func (s *Stack) newUDP(at place, attach func(tcpip.Endpoint, tcpip.FullAddress) tcpip.Error) (*udpConn, error) {
	wq := new(waiter.Queue)
	ep, fault := s.ip.NewEndpoint(udp.ProtocolNumber, at.family, wq)
	if fault != nil {
		return nil, plainError(fault)
	}
	ep.SocketOptions().SetV6Only(at.only6)
	if fault := attach(ep, at.addr); fault != nil {
		ep.Close()
		return nil, plainError(fault)
	}
	return newUDPConn(wq, ep), nil
}
