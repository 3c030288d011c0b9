package trial

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// An echoSender pings the agent from the peer's stack and remembers what it
// asked. Each payload begins with a tag of its own, as far as it has room: by
// it the packets on the link are found again.
type echoSender struct {
	f    *Field
	conn *control.PingConn
	is6  bool
	next int                // index of the first event that follow has not seen
	stop context.CancelFunc // ends follow, once it has seen all that there is
	work sync.WaitGroup     // receive and follow
	over chan struct{}      // closed when no more can be sent

	mu       sync.Mutex // guards what follows, and all that is in it
	requests []*echoRequest
	taken    map[string]*echoRequest // by the identification of a fragmented request
	carries  map[int]*echoRequest    // by packet number: what that packet carries
	replied  map[int]bool            // by packet number: the agent has written an answer
	why      error                   // why no more can be sent
	longest  time.Duration           // of the round trips so far
}

// openEcho opens a sender to the agent's IPv4 or IPv6 address. It has to be
// closed.
func (f *Field) openEcho(ctx context.Context, is6 bool) (*echoSender, error) {
	conn, err := f.Session.OpenPing(ctx, is6)
	if err != nil {
		return nil, err
	}
	e := &echoSender{f: f, conn: conn, is6: is6, next: f.record.count(), over: make(chan struct{}),
		taken: make(map[string]*echoRequest), carries: make(map[int]*echoRequest), replied: make(map[int]bool)}
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.work.Go(e.receive)
	e.work.Go(func() { e.follow(ctx) })
	return e, nil
}

// receive notes what comes back to the peer until the connection closes.
func (e *echoSender) receive() {
	for {
		a, err := e.conn.Receive()
		if err != nil {
			e.end(err)
			return
		}
		e.take(a)
	}
}

// take notes one answer to a request.
func (e *echoSender) take(a control.EchoAnswer) {
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

// end notes why no more can be sent.
func (e *echoSender) end(why error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.why == nil {
		e.why = why
		close(e.over)
	}
}

// ended returns why no more can be sent, nil if more can.
func (e *echoSender) ended() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

// fragments is how many packets an echo request with size bytes of data takes
// (RFC 791 section 3.2, RFC 8200 section 4.5).
func (e *echoSender) fragments(size int) (n int) {
	room := e.f.Status.MTU - 20
	if e.is6 {
		room = e.f.Status.MTU - 40
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

// tagLength is how much of a payload tells it from all others, in bytes.
const tagLength = 8

// send sends one echo request with size bytes of data.
func (e *echoSender) send(name string, size int) (*echoRequest, error) {
	payload := e.f.random(size)
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
	if err := e.conn.Send(uint16(n), payload); err != nil {
		return nil, fmt.Errorf("sending echo request %d: %w", n, err)
	}
	return r, nil
}

// ask sends one request and waits for its answer.
func (e *echoSender) ask(ctx context.Context, name string, size int) error {
	r, err := e.send(name, size)
	if err != nil {
		return err
	}
	return e.answer(ctx, r)
}

// answer waits for the answer to a request, for as long as one may take. It
// returns errSilent once the agent no longer reads.
func (e *echoSender) answer(ctx context.Context, r *echoRequest) error {
	ctx, cancel := context.WithTimeout(ctx, e.f.deadline())
	defer cancel()
	outcome, err := e.await(ctx, r)
	if err != nil {
		return err
	}
	return e.f.answered(outcome)
}

// await waits until a request is answered, or is late because ctx has reached
// its deadline, and says what seems to have come of it. Its error says that
// nothing can have come of it.
func (e *echoSender) await(ctx context.Context, r *echoRequest) (outcome string, err error) {
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
	case r.RoundTrip > 0, r.written && r.injected:
		return score.Right, nil
	case r.written:
		return score.Wrong, nil
	case e.unsent(r):
		return "", fmt.Errorf("%s: %w", r.Name, errNotOnLink)
	}
	return score.Lost, nil
}

// stragglers gives answers that are late the time to come, so that late is not
// taken for lost: once more as long as an answer may take.
func (e *echoSender) stragglers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.f.deadline())
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
