package netstack

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// taps are the listeners for ICMP errors. gVisor tells a socket only about a refused
// port, not about an expired TTL or the sender of an error, so taps parses incoming
// packets.
type taps struct {
	mu     sync.RWMutex // guards listen and ended
	listen map[*tap]struct{}
	ended  bool
}

// A tap is notified of every ICMP error, by hear, which must not block, and of the
// stack's end.
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

// see notifies all taps if the incoming packet p is an ICMP error and own returns true
// for it.
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

// close notifies all taps that the stack has ended.
func (t *taps) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for one := range t.listen {
		one.end()
	}
	t.listen = nil
}

// An ErrorConn receives every ICMP error about packets from its Stack.
type ErrorConn struct {
	taps  *taps
	tap   *tap
	inbox *inbox[ICMPError]
}

// ListenErrors opens a socket for ICMP errors. A traceroute with UDP probes needs it,
// since UDP sockets do not return the errors.
func (s *Stack) ListenErrors() (*ErrorConn, error) {
	if s.done.Err() != nil {
		return nil, fmt.Errorf("listen for ICMP errors: %w", net.ErrClosed)
	}
	c := &ErrorConn{taps: &s.taps, inbox: newInbox[ICMPError]()}
	c.tap = &tap{hear: c.inbox.put, end: c.inbox.close}
	s.taps.add(c.tap)
	return c, nil
}

// ReadFrom returns the next ICMP error. If there is none, it waits until ctx ends (and
// wraps its error) or the socket or the stack is closed (net.ErrClosed). Up to 1,024
// can wait; after that, new ones are dropped.
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
