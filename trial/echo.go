package trial

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// An echoSender pings the agent from the peer's stack and remembers what it
// asked. Each payload begins with a tag of its own, as far as it has room: by
// it the packets on the link are found again.
type echoSender struct {
	f     *Field
	conn  *control.PingConn
	first int // index of the scenario's first event

	mu       sync.Mutex
	requests []judge.Request
	payloads [][]byte
	answered []chan struct{} // closed when the request has a right answer
	ended    error
}

// openEcho opens a sender to the agent's IPv4 or IPv6 address.
func (f *Field) openEcho(ctx context.Context, is6 bool) (*echoSender, error) {
	conn, err := f.Session.OpenPing(ctx, is6)
	if err != nil {
		return nil, err
	}
	e := &echoSender{f: f, conn: conn, first: f.record.count()}
	go e.receive()
	return e, nil
}

// receive notes replies until the connection closes.
func (e *echoSender) receive() {
	for {
		a, err := e.conn.Receive()
		e.mu.Lock()
		if err != nil {
			e.ended = err
			for _, waiting := range e.answered {
				closeOnce(waiting)
			}
			e.mu.Unlock()
			return
		}
		i := int(a.Seq) - 1
		switch {
		case i < 0 || i >= len(e.requests):
		case (a.Type == 0 || a.Type == 129) && a.Hex == hex.EncodeToString(e.payloads[i]) && e.requests[i].RoundTrip == 0:
			e.requests[i].RoundTrip = max(a.Received-a.Sent, 1)
			closeOnce(e.answered[i])
		}
		e.mu.Unlock()
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// tagLength is how much of a payload tells it from all others, in bytes.
const tagLength = 8

// send sends one echo request with size bytes of data and returns what is
// closed when its answer has come.
func (e *echoSender) send(name string, size int) (<-chan struct{}, error) {
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(e.f.Rand.Uint32())
	}
	e.mu.Lock()
	n := len(e.requests) + 1
	if size >= tagLength {
		binary.BigEndian.PutUint32(payload[4:], uint32(n))
	}
	answered := make(chan struct{})
	e.requests = append(e.requests, judge.Request{N: n, Name: name, Sent: time.Now()})
	e.payloads = append(e.payloads, payload)
	e.answered = append(e.answered, answered)
	ended := e.ended
	e.mu.Unlock()
	if ended != nil {
		return nil, ended
	}
	if err := e.conn.Send(uint16(n), payload); err != nil {
		return nil, fmt.Errorf("sending echo request %d: %w", n, err)
	}
	return answered, nil
}

// ask sends one request and waits for its answer, for as long as one may take.
func (e *echoSender) ask(ctx context.Context, name string, size int) error {
	answered, err := e.send(name, size)
	if err != nil {
		return err
	}
	return e.await(ctx, answered)
}

func (e *echoSender) await(ctx context.Context, answered <-chan struct{}) error {
	timer := time.NewTimer(e.f.deadline())
	defer timer.Stop()
	select {
	case <-answered:
		e.f.answered(true)
	case <-timer.C:
		e.f.answered(false)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// close ends the sending and returns what was asked, with the packets that
// carried it.
func (e *echoSender) close(ctx context.Context) []judge.Request {
	e.f.quiet(ctx)
	e.stragglers(ctx)
	e.f.quiet(ctx) // what came last is recorded, too
	e.conn.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.find(e.f.record.since(e.first))
	return e.requests
}

// stragglers gives answers that are late the time to come, so that late is not
// taken for lost: once more as long as an answer may take.
func (e *echoSender) stragglers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, e.f.deadline())
	defer cancel()
	e.mu.Lock()
	answered := e.answered
	e.mu.Unlock()
	for _, waiting := range answered {
		select {
		case <-waiting:
		case <-ctx.Done():
			return
		}
	}
}
