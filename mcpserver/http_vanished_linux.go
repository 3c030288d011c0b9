package mcpserver

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks:
// for how long, in ms, what was sent may stay unacknowledged.
const tcpUserTimeout = 0x12

// boundUnacknowledged ends each connection of a listening socket, which hands the
// option down, when what was sent on it is not acknowledged for so long. Without
// that the kernel sends it again for 15 minutes, and no keep-alive probe meanwhile.
func boundUnacknowledged(listener syscall.RawConn, most time.Duration) error {
	var failed error
	err := listener.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(most.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
