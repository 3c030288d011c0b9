package control

import (
	"encoding/json"
	"fmt"
	"io"
)

// Read reads from the stream, or reads one datagram. The part of a datagram
// that does not fit into p is lost.
func (c *peerConn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	n, err := c.read(p)
	return n, c.wrap("read", err)
}

func (c *peerConn) read(p []byte) (int, error) {
	for c.fate == nil {
		if c.left > 0 {
			n, err := c.in.Read(p[:min(len(p), c.left)])
			c.left -= n
			if err != nil {
				err = c.lost(err)
			}
			return n, err
		}
		if c.stream && len(p) == 0 {
			return 0, nil
		}
		head, err := c.in.Peek(frameHead) // Peek keeps a partial header when a deadline passes
		if err != nil {
			return 0, c.lost(err)
		}
		kind, length, err := parseHead(head)
		if err != nil {
			c.fate = fmt.Errorf("reading data relayed by session %s: %w", c.session, err)
			break
		}
		if kind == frameData && c.stream {
			_, _ = c.in.Discard(frameHead) // it is buffered
			c.left = length
			continue
		}
		whole, err := c.in.Peek(frameHead + length)
		if err != nil {
			return 0, c.lost(err)
		}
		n, err := c.take(kind, whole[frameHead:], p)
		_, _ = c.in.Discard(len(whole)) // it is buffered
		if n > 0 || err != nil || kind == frameData {
			return n, err
		}
	}
	return 0, c.fate
}

// take processes a complete frame. Read returns its results, unless both are
// zero.
func (c *peerConn) take(kind byte, data, p []byte) (int, error) {
	switch kind {
	case frameData:
		return copy(p, data), nil
	case frameEnd:
		c.fate = io.EOF
	case frameFault:
		var f Fault
		if err := json.Unmarshal(data, &f); err != nil {
			f = Fault{faultOther, string(data)}
		}
		err := f.err(c.session)
		if c.stream || f.Kind == faultEnded {
			c.fate = err
		}
		return 0, err
	default:
		c.fate = fmt.Errorf("reading data relayed by session %s: unknown frame type %d; use the same version of tun-mcp at both ends", c.session, kind)
	}
	return 0, nil
}
