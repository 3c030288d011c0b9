package mcpserver

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks. It sets
// how long sent data may stay unacknowledged, in milliseconds.
const tcpUserTimeout = 0x12

// boundUnacknowledged sets a limit for unacknowledged data on a listening socket. Its
// connections inherit the limit and end if they exceed it. Without it, the kernel
// retransmits for 15 minutes and sends no keep-alive probes.
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
