package tuntest

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Vanish makes conn behave as if its machine had vanished: all packets to this end of
// the connection are dropped before TCP sees them, so they are neither acknowledged nor
// refused. The other end hears nothing any more.
func Vanish(t testing.TB, conn syscall.Conn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K} // passes 0 bytes of every segment
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
	if err != nil || failed != nil {
		t.Fatalf("attach a filter: %v, %v", err, failed)
	}
}
