package trial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// TestRefused: what an agent answered with a reset or an ICMP error is told
// apart from an answer that never came, or came with other data.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "dial", Net: "tcp4", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true},
		{fmt.Errorf("0 of 1000 bytes came back: %w", syscall.ECONNRESET), true},
		{&net.OpError{Op: "read", Net: "udp4", Err: syscall.EHOSTUNREACH}, true},
		{errors.New("other bytes came back than were sent"), false},
		{context.DeadlineExceeded, false},
	} {
		if got := refused(test.err); got != test.want {
			t.Errorf("%v: %t, want %t", test.err, got, test.want)
		}
	}
}

// A program that could not send is no exchange: the agent cannot have seen it.
// One whose packets were left without an answer is.
func TestProgramThatCouldNotSend(t *testing.T) {
	f := testField(t, 50*time.Millisecond, func(*session.Session, session.Delivered) {})
	name := func(int) string { return "datagram" }
	want := fmt.Errorf("asking for a socket: %w", context.DeadlineExceeded)
	requests, err := f.programs(soon(t), 3, name, func(context.Context, int) error { return want })
	if len(requests) > 0 || !errors.Is(err, want) || !errors.Is(err, errNotOnLink) {
		t.Errorf("%+v, %v, want %v", requests, err, want)
	}
	run := func(context.Context, *Field) ([]judge.Request, error) { return requests, err }
	r, _ := new(Options).runOne(soon(t), Scenario{Run: run, Judge: judge.Program}, &player{session: f.Session, status: f.Status}, f.record)
	if r.Passed || r.Reason != "the traffic could not be sent: datagram: it never reached the link: asking for a socket: context deadline exceeded" {
		t.Errorf("passed %t, %q", r.Passed, r.Reason)
	}
	requests, err = f.programs(soon(t), 1, name, func(ctx context.Context, _ int) error { return f.refusedDatagram(ctx, 9, 0) })
	if len(requests) != 1 || len(requests[0].Numbers) == 0 || err != nil {
		t.Errorf("%+v, %v, want a request without an answer", requests, err)
	}
}
