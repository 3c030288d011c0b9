package control

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// maxDatagram is the longest payload of a UDP datagram, in bytes: 65,535
// without UDP's header (8) and IPv4's (20), which IPv6 does not count.
func (c *peerConn) maxDatagram() int {
	if addr, ok := c.remote.(*net.UDPAddr); ok && addr.IP.To4() == nil {
		return maxFrame - 8
	}
	return maxFrame - 28
}

// Write writes to the stream, or sends one datagram.
func (c *peerConn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	switch {
	case c.ended:
		return 0, c.wrap("write", syscall.EPIPE)
	case c.stream:
		for n < len(p) && err == nil {
			var taken bool
			piece := p[n:min(n+pieceBytes, len(p))]
			if taken, err = c.send(frameData, piece); taken {
				n += len(piece)
			}
		}
		return n, c.wrap("write", err)
	case len(p) > c.maxDatagram():
		return 0, c.wrap("write", syscall.EMSGSIZE)
	}
	taken, err := c.send(frameData, p)
	if taken {
		n = len(p)
	}
	return n, c.wrap("write", err)
}

// CloseWrite ends the stream in this direction: the agent reads EOF.
func (c peerStream) CloseWrite() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.ended {
		return nil
	}
	taken, err := c.send(frameEnd, nil)
	c.ended = taken
	return c.wrap("close", err)
}

// send sends the rest of the previous frame and then this one. The frame counts
// as sent once its first byte is written; the next call sends the rest.
func (c *peerConn) send(kind byte, data []byte) (taken bool, err error) {
	if err := c.flush(); err != nil {
		return false, err
	}
	c.frame = append(append(c.frame[:0], make([]byte, frameHead)...), data...)
	putHead(c.frame, kind, len(data))
	c.unsent = c.frame
	err = c.flush()
	taken = len(c.unsent) < len(c.frame)
	if !taken {
		c.unsent = nil
	}
	return taken, err
}

func (c *peerConn) flush() error {
	if len(c.unsent) == 0 {
		return nil
	}
	n, err := c.wire.Write(c.unsent)
	c.unsent = c.unsent[n:]
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		err = errBrokenPipe
	}
	return err
}
