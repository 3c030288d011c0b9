package traffic

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

// pingThrice pings the agent three times and returns the judged outcome of each ping.
func pingThrice(ctx context.Context, f *Peer) (outcomes []string, err error) {
	requests, err := f.Pings(ctx, false, 3, func(int) int { return PingSize })
	for _, x := range judge.Echo(requests, f.Events.Since(0), f.Deadline()) {
		outcomes = append(outcomes, x.Outcome)
	}
	return outcomes, err
}

func want(t *testing.T, got []string, err error, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
}

// A wrong answer ends the wait, although the peer's stack may drop it. Otherwise the
// agent might leave because no more requests come.
func TestWrongAnswerEndsTheWait(t *testing.T) {
	f := testPeer(t, trialtest.Never, func(s *session.Session, p session.Delivered) { trialtest.Reply(s, p, 40) })
	got, err := pingThrice(trialtest.Soon(t), f)
	if err != nil {
		t.Error(err)
	}
	want(t, got, err, score.Wrong, score.Wrong, score.Wrong)
}

// The end of the session does not count against the agent: neither the request in
// flight nor one that could no longer be sent is an exchange.
func TestEndOfTheSessionIsNotALoss(t *testing.T) {
	f := testPeer(t, trialtest.Never, func(s *session.Session, p session.Delivered) {
		if p.Data[27] == 2 { // the sequence number
			go s.Close()
			return
		}
		trialtest.Reply(s, p, 0)
	})
	got, err := pingThrice(trialtest.Soon(t), f)
	if _, ended := errors.AsType[*control.Ended](err); !ended {
		t.Errorf("%v, want a *control.Ended", err)
	}
	want(t, got, err, score.Right)
}

// A request in flight when the trial is interrupted has no outcome.
func TestInterruptedPingIsNotALoss(t *testing.T) {
	ctx, interrupt := context.WithCancel(trialtest.Soon(t))
	f := testPeer(t, trialtest.Never, func(s *session.Session, p session.Delivered) {
		if p.Data[27] == 3 {
			interrupt()
			return
		}
		trialtest.Reply(s, p, 0)
	})
	got, err := pingThrice(ctx, f)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	want(t, got, err, score.Right, score.Right)
}

// The report that a request could not be sent is not an answer to it, even if it has no
// data. The request is not an exchange.
func TestUnsentIsNotAnAnswer(t *testing.T) {
	f := testPeer(t, trialtest.Never, nil)
	e, err := f.OpenEcho(trialtest.Soon(t), false)
	if err != nil {
		t.Fatal(err)
	}
	e.requests = append(e.requests, newEchoRequest(1, "0 bytes"))
	e.take(control.EchoAnswer{Seq: 1, Unsent: "no buffer space available"})
	requests, err := e.Close(trialtest.Soon(t), e.ended())
	if len(requests) > 0 || err == nil || err.Error() != "echo request 1: no buffer space available" {
		t.Errorf("%+v, %v", requests, err)
	}
	// The session reports it for a payload that is too long for IPv4.
	requests, err = f.Pings(trialtest.Soon(t), false, 3, func(int) int { return 65508 })
	if len(requests) > 0 || err == nil {
		t.Errorf("65508 bytes: %+v, %v, want no requests and an error", requests, err)
	}
}

// A request that no packet carried is not a loss, since the agent cannot have seen it.
func TestRequestThatNeverReachedTheLink(t *testing.T) {
	f := testPeer(t, 50*time.Millisecond, func(*session.Session, session.Delivered) {})
	e, err := f.OpenEcho(trialtest.Soon(t), false)
	if err != nil {
		t.Fatal(err)
	}
	e.requests = append(e.requests, newEchoRequest(1, "seq 1"))
	if err := e.answer(trialtest.Soon(t), e.requests[0]); !errors.Is(err, ErrNotOnLink) {
		t.Errorf("%v, want %v", err, ErrNotOnLink)
	}
	if requests, err := e.Close(trialtest.Soon(t), nil); len(requests) > 0 || !errors.Is(err, ErrNotOnLink) {
		t.Errorf("%+v, %v, want %v", requests, err, ErrNotOnLink)
	}
}
