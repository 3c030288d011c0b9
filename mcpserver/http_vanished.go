package mcpserver

import (
	"net"
	"syscall"
	"time"
)

// vanished is how long data sent to a client may stay unacknowledged. After that, the
// client's machine or the network to it counts as gone. Since a waiting client gets a
// heartbeat, its read ends within 30 s. If that read took a packet in the meantime,
// the packet is lost.
const vanished = 12 * time.Second

// keepAlive detects a lost client within 17 s. The kernel sends no probes while there
// is unacknowledged data; vanished covers that case.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 4}

// listening returns the configuration for listening. On Linux, a connection ends if
// data sent on it is not acknowledged within patience.
func listening(patience time.Duration) *net.ListenConfig {
	config := &net.ListenConfig{
		KeepAliveConfig: keepAlive,
		Control: func(_, _ string, listener syscall.RawConn) error {
			return boundUnacknowledged(listener, patience)
		},
	}
	config.SetMultipathTCP(false) // MPTCP sockets do not support the option
	return config
}
