package agent

import (
	"net"
	"sync"
)

// maxConnections is the most open connections of one service. The peer decides how
// many it opens, and each may buffer some megabytes.
const maxConnections = 1024

// limited returns a listener that closes connections beyond maxConnections as soon
// as they are accepted.
func limited(l net.Listener) net.Listener {
	return &limitedListener{l, make(chan struct{}, maxConnections)}
}

type limitedListener struct {
	net.Listener
	open chan struct{} // holds one element for each open connection
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.open <- struct{}{}:
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.open })}, nil
		default:
			c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
