package mcpserver

import (
	"net"
	"syscall"
	"time"
)

// vanished is for how long what was sent to a client may stay unacknowledged.
// Then its machine is gone, or the network to it. To one that waits for an answer
// something is sent every heartbeat: within 30 s it is found out, and its read
// ends. A packet that comes meanwhile may be taken by that read, and is lost.
const vanished = 12 * time.Second

// keepAlive finds out, within 17 s, where nothing is on its way to the client.
// While something is, no probe is sent.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 4}

// listening is how clients' connections are accepted. On Linux one ends when what
// was sent on it is not acknowledged within patience.
func listening(patience time.Duration) *net.ListenConfig {
	config := &net.ListenConfig{
		KeepAliveConfig: keepAlive,
		Control: func(_, _ string, listener syscall.RawConn) error {
			return boundUnacknowledged(listener, patience)
		},
	}
	config.SetMultipathTCP(false) // whose sockets do not take the option
	return config
}
