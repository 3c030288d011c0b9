package trial

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// pingThrice pings with the field's agent, and says what became of each ping.
func pingThrice(ctx context.Context, f *Field) (outcomes []string, err error) {
	requests, err := f.pings(ctx, false, 3, func(int) int { return pingSize })
	for _, x := range judge.Echo(requests, f.record.since(0), f.deadline()) {
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

// A wrong answer ends the wait for an answer: the peer's stack may drop it, but
// the agent has had its say, and may leave when nothing more comes.
func TestWrongAnswerEndsTheWait(t *testing.T) {
	f := testField(t, never, func(s *session.Session, p session.Delivered) { reply(s, p, 40) })
	got, err := pingThrice(soon(t), f)
	if err != nil {
		t.Error(err)
	}
	want(t, got, err, score.Wrong, score.Wrong, score.Wrong)
}

// The end of the session is not charged to the agent: neither the request that
// was under way nor one that could not be sent any more is an exchange.
func TestEndOfTheSessionIsNoLoss(t *testing.T) {
	f := testField(t, never, func(s *session.Session, p session.Delivered) {
		if p.Data[27] == 2 { // the sequence number
			go s.Close()
			return
		}
		reply(s, p, 0)
	})
	got, err := pingThrice(soon(t), f)
	if _, ended := errors.AsType[*control.Ended](err); !ended {
		t.Errorf("%v, want that the session has ended", err)
	}
	want(t, got, err, score.Right)
}

// A trial that is interrupted does not know what would have become of the
// request that was under way.
func TestInterruptedPingIsNoLoss(t *testing.T) {
	ctx, interrupt := context.WithCancel(soon(t))
	f := testField(t, never, func(s *session.Session, p session.Delivered) {
		if p.Data[27] == 3 {
			interrupt()
			return
		}
		reply(s, p, 0)
	})
	got, err := pingThrice(ctx, f)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	want(t, got, err, score.Right, score.Right)
}

// A request that was not sent is no exchange, and no answer to a ping without
// data either.
func TestUnsentIsNoAnswer(t *testing.T) {
	f := testField(t, never, nil)
	e, err := f.openEcho(soon(t), false)
	if err != nil {
		t.Fatal(err)
	}
	e.requests = append(e.requests, newEchoRequest(1, "0 bytes"))
	e.take(control.EchoAnswer{Seq: 1, Unsent: "no buffer space available"})
	requests, err := e.close(soon(t), e.ended())
	if len(requests) > 0 || err == nil || err.Error() != "echo request 1: no buffer space available" {
		t.Errorf("%+v, %v", requests, err)
	}
	// As the session says it, of a payload that is too long for IPv4.
	requests, err = f.pings(soon(t), false, 3, func(int) int { return 65508 })
	if len(requests) > 0 || err == nil {
		t.Errorf("%+v, %v, want that it could not be sent", requests, err)
	}
}

// A request that no packet carried is no loss: the agent cannot have seen it.
func TestRequestThatNeverReachedTheLink(t *testing.T) {
	f := testField(t, 50*time.Millisecond, func(*session.Session, session.Delivered) {})
	e, err := f.openEcho(soon(t), false)
	if err != nil {
		t.Fatal(err)
	}
	e.requests = append(e.requests, newEchoRequest(1, "seq 1"))
	if err := e.answer(soon(t), e.requests[0]); !errors.Is(err, errNotOnLink) {
		t.Errorf("%v, want %v", err, errNotOnLink)
	}
	if requests, err := e.close(soon(t), nil); len(requests) > 0 || !errors.Is(err, errNotOnLink) {
		t.Errorf("%+v, %v, want %v", requests, err, errNotOnLink)
	}
}
