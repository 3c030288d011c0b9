package traffic

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
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

// A reset or an ICMP error is told apart from an answer that never came or had other
// data.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "dial", Net: "tcp4", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true},
		{fmt.Errorf("0 of 1000 bytes came back: %w", syscall.ECONNRESET), true},
		{&net.OpError{Op: "read", Net: "udp4", Err: syscall.EHOSTUNREACH}, true},
		{errors.New("the 1000 bytes that came back differ from those sent"), false},
		{context.DeadlineExceeded, false},
	} {
		if got := refused(test.err); got != test.want {
			t.Errorf("%v: %t, want %t", test.err, got, test.want)
		}
	}
}

// A program that could not send is not an exchange, since the agent cannot have seen
// it. A program whose packets got no answer is one.
func TestProgramThatCouldNotSend(t *testing.T) {
	f := testPeer(t, time.Second/2, func(*session.Session, session.Delivered) {})
	name := func(int) string { return "datagram" }
	want := fmt.Errorf("asking for a socket: %w", context.DeadlineExceeded)
	requests, err := f.Programs(trialtest.Soon(t), 3, name, func(context.Context, int) error { return want })
	if len(requests) > 0 || !errors.Is(err, want) || !errors.Is(err, ErrNotOnLink) {
		t.Errorf("%+v, %v, want %v", requests, err, want)
	}
	requests, err = f.Programs(trialtest.Soon(t), 1, name, func(ctx context.Context, _ int) error { return f.RefusedDatagram(ctx, 9, 0) })
	if len(requests) != 1 || len(requests[0].Numbers) == 0 || err != nil {
		t.Errorf("%+v, %v, want a request without an answer", requests, err)
	}
}
