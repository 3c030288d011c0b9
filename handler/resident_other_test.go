//go:build !linux

package handler

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// processorTime returns 0. It is measured only on Linux.
func processorTime(*testing.T) time.Duration { return 0 }

// resident returns the memory that the process has from the system, in bytes. It is the peak
// since the last call, minus memory returned since.
func resident(*testing.T) int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.FreeOSMemory()
	return int(m.Sys - m.HeapReleased)
}
