package tuntest

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Vanish lets the machine behind conn vanish: whatever comes for this end of the
// connection is dropped before TCP sees it, so it is neither acknowledged nor
// refused. The other end, on whatever machine, hears nothing any more.
func Vanish(t testing.TB, conn syscall.Conn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K} // of every segment 0 bytes are let through
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
	if err != nil || failed != nil {
		t.Fatalf("attach a filter: %v, %v", err, failed)
	}
}
