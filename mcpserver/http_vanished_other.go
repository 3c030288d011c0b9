//go:build !linux

package mcpserver

import (
	"syscall"
	"time"
)

// boundUnacknowledged does nothing here: what was sent and is not acknowledged
// is sent again for as long as the system does so.
func boundUnacknowledged(syscall.RawConn, time.Duration) error { return nil }
