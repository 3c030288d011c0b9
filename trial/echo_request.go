package trial

import (
	"context"
	"errors"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// An echoRequest is a request of an echoSender, which guards it.
type echoRequest struct {
	judge.Request
	payload  []byte
	injected bool          // no program waits for its answer
	written  bool          // the agent has written an answer, right or wrong
	answered chan struct{} // closed when the peer has the right answer, or must have had what was written
}

func newEchoRequest(n int, name string) *echoRequest {
	return &echoRequest{Request: judge.Request{N: n, Name: name, Sent: time.Now()}, answered: make(chan struct{})}
}

// end ends the wait for an answer.
func (r *echoRequest) end() {
	select {
	case <-r.answered:
	default:
		close(r.answered)
	}
}

// errNotOnLink is why a request is no exchange: the agent cannot have seen it.
var errNotOnLink = errors.New("it never reached the link")

// unsent tells that a request cannot have reached the link: no packet carried
// it, and none was missed.
func (e *echoSender) unsent(r *echoRequest) bool {
	return len(r.Numbers) == 0 && r.RoundTrip == 0 && e.f.record.missed() == 0
}

// close ends the sending and returns what was asked, with the packets that
// carried it. Err is why the sending was broken off, nil if it was not. What
// cannot be judged is left out: a request whose time was not over yet when it
// was broken off, and one that never reached the link, which is an error.
func (e *echoSender) close(ctx context.Context, err error) ([]judge.Request, error) {
	if err == nil {
		e.f.quiet(ctx)
		e.stragglers(ctx)
		e.f.quiet(ctx)
	}
	e.f.recorded(ctx) // what came last, too
	cut := err
	if cut == nil {
		cut = ctx.Err()
	}
	if cut == nil {
		cut = e.ended()
	}
	e.conn.Close()
	e.stop()
	e.work.Wait()
	var asked []judge.Request
	for _, r := range e.requests {
		switch {
		case cut != nil && !r.written && time.Since(r.Sent) < e.f.deadline():
			err = cut
		case e.unsent(r):
			if err == nil {
				err = errNotOnLink
			}
		default:
			asked = append(asked, r.Request)
		}
	}
	return asked, err
}
