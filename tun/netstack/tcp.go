package netstack

import (
	"net"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// A tcpConn is gonet's connection with the errors of package net. Its addresses stay
// known after a reset.
type tcpConn struct {
	*gonet.TCPConn // also for CloseRead and CloseWrite, which net/http needs
	local, remote  net.Addr
	closed         atomic.Bool
}

func newTCPConn(conn *gonet.TCPConn) *tcpConn {
	c := &tcpConn{TCPConn: conn, local: conn.LocalAddr(), remote: conn.RemoteAddr()}
	// If a connection is reset before it is accepted, gonet no longer knows its
	// remote end, and a caller's String on a nil address would panic.
	if c.local == nil {
		c.local = &net.TCPAddr{}
	}
	if c.remote == nil {
		c.remote = &net.TCPAddr{}
	}
	return c
}

func (c *tcpConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	return n, c.wrap("read", err)
}

func (c *tcpConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	return n, c.wrap("write", err)
}

func (c *tcpConn) Close() error {
	if c.closed.Swap(true) {
		return c.wrap("close", net.ErrClosed)
	}
	return c.wrap("close", c.TCPConn.Close())
}

func (c *tcpConn) LocalAddr() net.Addr  { return c.local }
func (c *tcpConn) RemoteAddr() net.Addr { return c.remote }

func (c *tcpConn) wrap(op string, err error) error {
	return sockError(op, c.local, c.remote, c.closed.Load(), err)
}

// A tcpListener is gonet's listener with the errors of package net.
type tcpListener struct {
	*gonet.TCPListener
	local  net.Addr
	closed atomic.Bool
}

func newTCPListener(l *gonet.TCPListener) *tcpListener {
	return &tcpListener{TCPListener: l, local: l.Addr()}
}

func (l *tcpListener) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if err != nil {
		return nil, sockError("accept", l.local, nil, l.closed.Load(), err)
	}
	return newTCPConn(conn.(*gonet.TCPConn)), nil
}

func (l *tcpListener) Close() error {
	if l.closed.Swap(true) {
		return sockError("close", l.local, nil, true, net.ErrClosed)
	}
	return l.TCPListener.Close()
}

func (l *tcpListener) Addr() net.Addr { return l.local }
