package mcpserver

import (
	"io"
	"net"
	"sync/atomic"
)

// maxAhead is how many bytes a client may send after a request that is still being
// served. A client that sends more is disconnected.
const maxAhead = 64 << 10

// watchedListener accepts connections that notice it when their client leaves.
type watchedListener struct{ net.Listener }

func (l watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn}, nil
}

// A watchedConn is a client's connection. While net/http serves a request, it reads
// one byte to find out whether the client has left. Once a byte arrives, it no longer
// notices that (golang/go #20617). A watchedConn keeps reading and saves the bytes for
// the next request. net/http never runs two reads at once.
type watchedConn struct {
	net.Conn
	served atomic.Bool // whether a handler is running
	ahead  []byte      // the bytes received while it was running
}

// serving sets whether a handler is running. Set it before the handler has read the
// whole request, since net/http then starts to wait.
func (c *watchedConn) serving(now bool) { c.served.Store(now) }

func (c *watchedConn) Read(p []byte) (int, error) {
	// A read of one byte is net/http's wait; handlers read in larger pieces.
	if len(p) == 1 && c.served.Load() {
		return 0, c.wait()
	}
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// wait reads ahead until the client leaves or net/http ends the wait by a deadline,
// and returns the error of the last read.
func (c *watchedConn) wait() error {
	piece := make([]byte, 512)
	for {
		n, err := c.Conn.Read(piece)
		c.ahead = append(c.ahead, piece[:n]...)
		if err != nil {
			return err
		}
		if len(c.ahead) > maxAhead {
			c.Close()
			return io.ErrUnexpectedEOF
		}
	}
}

// CloseWrite half-closes the connection. net/http uses it to let the client read
// the last answer.
func (c *watchedConn) CloseWrite() error {
	if conn, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return nil
}
