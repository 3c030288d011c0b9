package traffic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// at returns the agent's address with a port.
func (p *Peer) at(port int) string { return net.JoinHostPort(p.Status.Agent, strconv.Itoa(port)) }

// Dial connects to a port of the agent from the peer's stack. A ttl of 0 means the
// default. The connection has ctx's deadline.
func (p *Peer) Dial(ctx context.Context, network string, port, ttl int) (net.Conn, error) {
	conn, err := p.Session.Dial(ctx, network, p.at(port), ttl)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// RefusedDatagram sends a datagram and returns nil if the agent answers with port
// unreachable.
func (p *Peer) RefusedDatagram(ctx context.Context, port, ttl int) error {
	conn, err := p.Dial(ctx, "udp4", port, ttl)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(p.Random(32)); err != nil {
		return err
	}
	n, err := conn.Read(make([]byte, 2000))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	case err == nil:
		return fmt.Errorf("%d bytes came back, want «connection refused»", n)
	}
	return err
}

// Connections opens count TCP connections to the agent's port 7, one after the other,
// and calls use with each. Use must close it.
func (p *Peer) Connections(ctx context.Context, count int, use func(net.Conn) error) ([]judge.Request, error) {
	return p.Programs(ctx, count,
		func(i int) string { return fmt.Sprintf("connection %d", i+1) },
		func(ctx context.Context, _ int) error {
			conn, err := p.Dial(ctx, "tcp4", 7, 0)
			if err != nil {
				return err
			}
			return use(conn)
		})
}

// EchoBack sends size random bytes and returns nil if they come back unchanged.
func (p *Peer) EchoBack(conn net.Conn, size int) error {
	sent, got := p.Random(size), make([]byte, size)
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	if n, err := io.ReadFull(conn, got); err != nil {
		return fmt.Errorf("%d of %d bytes came back: %w", n, len(sent), err)
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("the %d bytes that came back differ from those sent", size)
	}
	return nil
}
