package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
)

// mostGrowth is how much a server's resident memory may grow, in bytes, from
// when it is warm to the end: what the record may hold, and as much again for
// what the collector has not yet been to.
const mostGrowth = 2 * session.RecordBytes

// A vital is what a server's process takes at one moment.
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

var residentSet = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// vitals asks a session, and the system about its process.
func vitals(t *testing.T, s *control.Client) vital {
	t.Helper()
	status, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := vital{Status: status}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", status.PID))
	m := residentSet.FindSubmatch(text)
	if err != nil || m == nil {
		t.Fatalf("the memory of process %d: %v", status.PID, err)
	}
	kib, err := strconv.ParseUint(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	v.resident = kib << 10
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

// when asks a session for its vitals until they are right, or patience ends.
func when(t *testing.T, s *control.Client, right func(vital) bool) (now vital) {
	t.Helper()
	until(t, s.Name+" comes to rest", func() bool {
		now = vitals(t, s)
		return right(now)
	})
	return now
}

// reading waits until so many reads wait at a server: then it is at rest.
func atRest(t *testing.T, s *control.Client, readers int) vital {
	t.Helper()
	return when(t, s, func(v vital) bool { return v.Readers == readers })
}

// settled waits until a server has let go of everything that it took on since
// then: its goroutines and descriptors. The runtime keeps a goroutine for each
// processor from the first garbage collection on; what leaks leaks with every
// exchange.
func settled(t *testing.T, s *control.Client, then vital) vital {
	t.Helper()
	const few = 5
	collectors := uint64(runtime.NumCPU())
	return when(t, s, func(now vital) bool {
		return now.Readers == then.Readers && now.Runtime.Goroutines <= then.Runtime.Goroutines+few+collectors && now.descriptors <= then.descriptors+few
	})
}
