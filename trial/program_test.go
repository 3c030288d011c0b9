package trial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
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
