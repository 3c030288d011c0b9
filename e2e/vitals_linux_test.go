package e2e

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
)

// maxGrowth is how much a server's resident memory may grow between warm-up and end,
// in bytes: the record's limit, the same again for garbage, and the collector's
// reserve.
const maxGrowth = 2*session.RecordBytes + session.ReserveBytes

// A vital is the resource use of a server's process at one moment.
type vital struct {
	session.Status
	resident    uint64 // bytes: VmRSS
	descriptors int
}

func (v vital) String() string {
	c := v.Counters
	return fmt.Sprintf("resident %.1f MiB, heap %.1f MiB, %d goroutines, %d descriptors; received %d = delivered %d + queued %d + dropped %d; written %d, refused %d (too fast %d), failed %d",
		float64(v.resident)/(1<<20), float64(v.Runtime.HeapBytes)/(1<<20), v.Runtime.Goroutines, v.descriptors,
		c.Received, c.Delivered, c.Queued, c.Dropped, c.Written, c.Refused, c.TooFast, c.Failed)
}

// vitals asks a session, and the system about its process.
func vitals(t *testing.T, s *control.Client) vital {
	t.Helper()
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := vital{Status: status, resident: processStatus(t, status.PID, "VmRSS") << 10}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", status.PID))
	if err != nil {
		t.Fatal(err)
	}
	v.descriptors = len(fds)
	if c := v.Counters; c.Received != c.Delivered+c.Queued+c.Dropped {
		t.Errorf("received is not delivered + queued + dropped: %v", v)
	}
	return v
}

// when asks a session for its vitals until right returns true, or patience ends.
func when(t *testing.T, s *control.Client, right func(vital) bool) (now vital) {
	t.Helper()
	until(t, s.Name+" comes to rest", func() bool {
		now = vitals(t, s)
		return right(now)
	})
	return now
}

// atRest waits until that many reads wait at a server, which then does nothing else.
func atRest(t *testing.T, s *control.Client, readers int) vital {
	t.Helper()
	return when(t, s, func(v vital) bool { return v.Readers == readers })
}

// settled waits until a server's goroutines and descriptors are back to then. From its
// first garbage collection on, the runtime keeps a goroutine for each processor. A leak
// would grow with every exchange.
func settled(t *testing.T, s *control.Client, then vital) vital {
	t.Helper()
	const few = 5
	collectors := uint64(runtime.NumCPU())
	return when(t, s, func(now vital) bool {
		return now.Readers == then.Readers && now.Runtime.Goroutines <= then.Runtime.Goroutines+few+collectors && now.descriptors <= then.descriptors+few
	})
}
