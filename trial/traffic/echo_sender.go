package traffic

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An EchoSender pings the agent from the peer's stack and keeps the requests. A payload
// of 8 bytes or more begins with a unique tag, which identifies its packets on the link.
type EchoSender struct {
	peer *Peer
	conn *control.PingConn
	is6  bool
	next int                // index of the first event that follow has not seen
	stop context.CancelFunc // ends follow, after it has seen the events so far
	work sync.WaitGroup     // receive and follow
	over chan struct{}      // closed when sending has become impossible

	mu       sync.Mutex // guards the fields below and all that they point to
	requests []*echoRequest
	taken    map[string]*echoRequest // the request of each fragment identification
	carries  map[int]*echoRequest    // the request that each packet carries, by packet number
	replied  map[int]bool            // packet numbers that the agent has answered
	why      error                   // why sending has become impossible
	longest  time.Duration           // longest round trip so far
}

// OpenEcho opens a sender to the agent's IPv4 or IPv6 address. The caller must call
// Close.
func (p *Peer) OpenEcho(ctx context.Context, is6 bool) (*EchoSender, error) {
	conn, err := p.Session.OpenPing(ctx, is6)
	if err != nil {
		return nil, err
	}
	e := &EchoSender{peer: p, conn: conn, is6: is6, next: p.Events.Count(), over: make(chan struct{}),
		taken: make(map[string]*echoRequest), carries: make(map[int]*echoRequest), replied: make(map[int]bool)}
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.work.Go(e.receive)
	e.work.Go(func() { e.follow(ctx) })
	return e, nil
}

// receive takes the answers that reach the peer until the connection closes.
func (e *EchoSender) receive() {
	for {
		a, err := e.conn.Receive()
		if err != nil {
			e.end(err)
			return
		}
		e.take(a)
	}
}

// take records one answer, or that a request could not be sent.
func (e *EchoSender) take(a control.EchoAnswer) {
	if a.Unsent != "" {
		e.end(fmt.Errorf("echo request %d: %s", a.Seq, a.Unsent))
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := int(a.Seq) - 1
	if i < 0 || i >= len(e.requests) {
		return
	}
	r := e.requests[i]
	if (a.Type == 0 || a.Type == 129) && a.Hex == hex.EncodeToString(r.payload) && !r.injected && r.RoundTrip == 0 {
		r.RoundTrip = max(a.Received-a.Sent, 1)
		e.longest = max(e.longest, r.RoundTrip)
		r.end()
	}
}

// end records why sending has become impossible. Only the first reason is kept.
func (e *EchoSender) end(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == nil {
		e.why = why
		close(e.over)
	}
}

// ended returns why sending has become impossible, or nil if it has not.
func (e *EchoSender) ended() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

// fragments returns the number of packets for an echo request with size bytes of data
// (RFC 791 section 3.2, RFC 8200 section 4.5).
func (e *EchoSender) fragments(size int) (n int) {
	room := e.peer.Status.MTU - 20
	if e.is6 {
		room = e.peer.Status.MTU - 40
	}
	left := 8 + size
	if left > room && e.is6 {
		room -= 8 // for the fragment header
	}
	for ; left > room; n++ {
		left -= room &^ 7
	}
	return n + 1
}

// tagLength is the length of the unique tag at the start of a payload, in bytes.
const tagLength = 8

// send sends one echo request with size bytes of data, unless an earlier run has judged
// it.
func (e *EchoSender) send(name string, size int) (*echoRequest, error) {
	payload := e.peer.Random(size)
	e.mu.Lock()
	if e.why != nil {
		defer e.mu.Unlock()
		return nil, e.why
	}
	n := len(e.requests) + 1
	if size >= tagLength {
		binary.BigEndian.PutUint32(payload[4:], uint32(n))
	}
	r := newEchoRequest(n, name)
	r.payload, r.Fragments = payload, e.fragments(size)
	e.requests = append(e.requests, r)
	e.mu.Unlock()
	if e.skip(r) {
		return r, nil
	}
	if err := e.conn.Send(uint16(n), payload); err != nil {
		return nil, fmt.Errorf("sending echo request %d: %w", n, err)
	}
	return r, nil
}

// Ask sends one request with size bytes of data and waits for its answer. It returns
// ErrSilent if the agent no longer reads.
func (e *EchoSender) Ask(ctx context.Context, name string, size int) error {
	r, err := e.send(name, size)
	if err != nil {
		return err
	}
	return e.answer(ctx, r)
}

// answer waits for the answer to a request, up to the deadline. Its error ends the
// scenario.
func (e *EchoSender) answer(outer context.Context, r *echoRequest) error {
	ctx, cancel := context.WithTimeout(outer, e.peer.Deadline())
	defer cancel()
	outcome, err := e.await(ctx, r)
	if err != nil {
		return err
	}
	if r.done != "" {
		return nil
	}
	err = e.peer.answered(outcome)
	e.tell(outer)
	return err
}

// await waits until a request is answered or ctx reaches its deadline, and returns the
// outcome as far as the sender knows it. An error means that there is no outcome.
func (e *EchoSender) await(ctx context.Context, r *echoRequest) (outcome string, err error) {
	select {
	case <-r.answered:
	case <-e.over:
		return "", e.ended()
	case <-ctx.Done():
		if err := ctx.Err(); err != context.DeadlineExceeded {
			return "", err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case r.done != "":
		return r.done, nil
	case r.RoundTrip > 0, r.written && r.injected:
		return score.Right, nil
	case r.written:
		return score.Wrong, nil
	case e.unsent(r):
		return "", fmt.Errorf("%s: %w", r.Name, ErrNotOnLink)
	}
	return score.Lost, nil
}

// stragglers waits for one more deadline, so that late answers are not counted as lost.
func (e *EchoSender) stragglers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.peer.Deadline())
	defer cancel()
	for _, r := range e.requests {
		select {
		case <-r.answered:
		case <-e.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Sent returns the number of requests so far.
func (e *EchoSender) Sent() int { return len(e.requests) }

// skip reports whether an earlier run has judged a request. If so, it is not sent
// again.
func (e *EchoSender) skip(r *echoRequest) bool {
	r.done = e.peer.Done[r.N]
	if r.done == "" {
		return false
	}
	r.end()
	return true
}

// tell calls the peer's Over, if it is not nil, with the requests of this run.
func (e *EchoSender) tell(ctx context.Context) {
	if e.peer.Over == nil {
		return
	}
	e.peer.recorded(ctx)
	e.mu.Lock()
	var asked []judge.Request
	for _, r := range e.requests {
		if r.done == "" && len(r.Numbers) > 0 {
			asked = append(asked, r.Request)
		}
	}
	e.mu.Unlock()
	e.peer.Over(asked)
}
