//go:build !linux

package mcpserver

import (
	"syscall"
	"time"
)

// boundUnacknowledged does nothing here: the system decides how long it retransmits
// unacknowledged data.
func boundUnacknowledged(syscall.RawConn, time.Duration) error { return nil }
