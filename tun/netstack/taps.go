package netstack

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// taps are those who want to hear of ICMP errors. gVisor tells a socket of a
// refused port alone, and nobody of a TTL that ran out or who said so, so the
// errors are read from the packets as they come in.
type taps struct {
	mu     sync.RWMutex // guards listen and ended
	listen map[*tap]struct{}
	ended  bool
}

// A tap hears of every ICMP error (hear must not block), and of the stack's end.
type tap struct {
	hear func(ICMPError)
	end  func()
}

func (t *taps) add(one *tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		one.end()
		return
	}
	if t.listen == nil {
		t.listen = make(map[*tap]struct{})
	}
	t.listen[one] = struct{}{}
}

func (t *taps) remove(one *tap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.listen, one)
}

// see looks at a packet that comes in, p, and tells all if it is an ICMP error
// about what own sent.
func (t *taps) see(p []byte, own func(ICMPError) bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.listen) == 0 {
		return
	}
	e, ok := parseICMPError(p)
	if !ok || !own(e) {
		return
	}
	e.Received = time.Now()
	for one := range t.listen {
		one.hear(e)
	}
}

// close tells all that the stack has ended.
func (t *taps) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for one := range t.listen {
		one.end()
	}
	t.listen = nil
}

// An ErrorConn receives every ICMP error about what its Stack sent.
type ErrorConn struct {
	taps  *taps
	tap   *tap
	inbox *inbox[ICMPError]
}

// ListenErrors opens a socket for ICMP errors: for a traceroute with UDP
// probes, whose answers UDP sockets cannot give.
func (s *Stack) ListenErrors() (*ErrorConn, error) {
	if s.done.Err() != nil {
		return nil, fmt.Errorf("listen for ICMP errors: %w", net.ErrClosed)
	}
	c := &ErrorConn{taps: &s.taps, inbox: newInbox[ICMPError]()}
	c.tap = &tap{hear: c.inbox.put, end: c.inbox.close}
	s.taps.add(c.tap)
	return c, nil
}

// ReadFrom waits for the next error, until ctx ends (its error) or the socket
// or the stack is closed (net.ErrClosed). 1,024 wait at most; the newest is
// dropped then.
func (c *ErrorConn) ReadFrom(ctx context.Context) (ICMPError, error) {
	e, err := c.inbox.get(ctx)
	if err != nil {
		return e, fmt.Errorf("wait for ICMP error: %w", err)
	}
	return e, nil
}

// Close ends the socket and wakes a ReadFrom. Closing twice is allowed.
func (c *ErrorConn) Close() error {
	c.taps.remove(c.tap)
	c.inbox.close()
	return nil
}
