package traffic

import (
	"context"
	"errors"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// An echoRequest is a request of an EchoSender, guarded by its mutex.
type echoRequest struct {
	judge.Request
	payload  []byte
	injected bool          // no program receives its answer
	written  bool          // the agent has written an answer, right or wrong
	done     string        // its outcome in an earlier run, or "" if there is none
	answered chan struct{} // closed when the right answer has reached the peer, or settle has passed since any answer
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

// ErrNotOnLink means that a request is not an exchange, because the agent cannot have
// seen it.
var ErrNotOnLink = errors.New("it never reached the link")

// unsent reports whether a request never reached the link: no packet carried it, and no
// events were missed.
func (e *EchoSender) unsent(r *echoRequest) bool {
	return len(r.Numbers) == 0 && r.RoundTrip == 0 && e.peer.Events.Missed() == 0
}

// Close stops sending and returns the requests with the packets that carried them. Err
// is the reason for stopping early, nil if there was none. Close leaves out requests
// that cannot be judged: those whose deadline was still to come when the sending
// stopped early, and those that never reached the link, which is an error.
func (e *EchoSender) Close(ctx context.Context, err error) ([]judge.Request, error) {
	if err == nil {
		e.peer.quiet(ctx)
		e.stragglers(ctx)
		e.peer.quiet(ctx)
	}
	e.peer.recorded(ctx) // wait for the last events
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
		case r.done != "": // judged in an earlier run
		case cut != nil && !r.written && time.Since(r.Sent) < e.peer.Deadline():
			err = cut
		case e.unsent(r):
			if err == nil {
				err = ErrNotOnLink
			}
		default:
			asked = append(asked, r.Request)
		}
	}
	return asked, err
}
