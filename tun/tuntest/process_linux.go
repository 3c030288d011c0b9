package tuntest

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds how long a process may take to end.
const patience = 30 * time.Second

// Watch takes hold of the running process pid, a child or not, and returns a
// function that waits for its end and fails the test if that does not come.
func Watch(t testing.TB, pid int) (ended func()) {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("take hold of process %d: %v", pid, err)
	}
	t.Cleanup(func() { unix.Close(pidfd) })
	return func() {
		t.Helper()
		deadline := time.Now().Add(patience)
		for {
			fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, int(max(time.Until(deadline), 0).Milliseconds()))
			switch {
			case errors.Is(err, unix.EINTR):
				continue
			case err != nil:
				t.Fatalf("wait for process %d: %v", pid, err)
			case n == 0:
				t.Fatalf("process %d goes on after %v", pid, patience)
			}
			return
		}
	}
}
