package tuntest

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a process may take to end.
const patience = 30 * time.Second

// Watch watches the running process pid, which need not be a child. It returns a function
// that waits for the end of the process and fails the test if it does not end.
func Watch(t testing.TB, pid int) (ended func()) {
	t.Helper()
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("open process %d: %v", pid, err)
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
				t.Fatalf("process %d still runs after %v", pid, patience)
			}
			return
		}
	}
}

// Signal sends a signal to a process. It refuses to signal a process group: 0, the number
// of a holder that does not exist, means the group of this test and of its caller.
func Signal(t testing.TB, pid int, signal unix.Signal) {
	t.Helper()
	if pid < 1 {
		t.Fatalf("there is no process %d to signal", pid)
	}
	if err := unix.Kill(pid, signal); err != nil {
		t.Fatalf("send %v to process %d: %v", signal, pid, err)
	}
}
