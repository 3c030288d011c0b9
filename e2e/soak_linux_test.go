package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// TestSoak runs two servers through everything that can happen, all at once: one with
// the built-in agent and programs that talk to it, one with a client that floods,
// cancels and makes mistakes. TUN_MCP_LONG=30m makes it long.
func TestSoak(t *testing.T) {
	tuntest.RequirePrivate(t)
	length := tuntest.Length(t, time.Second, 5*time.Second)

	b := startBuiltin(t, "-q", "--network", "private", "--record", t.TempDir(), "--session", "served")
	served := sessionIn(t, b.runtime)
	c := startServer(t, modernEra, "--network", "private", "--max-pps", "20", "--session", "erring")
	c.forget()
	erring := c.connect()

	before := [2]vital{atRest(t, served, 1), atRest(t, erring, 0)}
	t.Logf("at the start\nserved: %v\nerring: %v", before[0], before[1])

	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	all := &soak{ctx: ctx, cancel: cancel}
	all.talk(served)
	all.err(c, erring)

	warm := before
	tick := time.NewTicker(length / 10)
	defer tick.Stop()
	for tenth := 1; ctx.Err() == nil; tenth++ {
		select {
		case <-ctx.Done():
		case <-tick.C:
			now := [2]vital{vitals(t, served), vitals(t, erring)}
			t.Logf("%s, %d of 10\nserved: %v\nerring: %v", time.Now().UTC().Format(time.TimeOnly), tenth, now[0], now[1])
			if tenth == 1 {
				warm = now
			}
		}
	}
	all.work.Wait()
	for _, err := range all.errs {
		t.Error(err)
	}
	t.Logf("exchanges: %s", all.tally())

	for i, s := range []*control.Client{served, erring} {
		s.Close()
		after := settled(t, s, before[i])
		t.Logf("at the end\n%s: %v", s.Name, after)
		if after.resident > warm[i].resident+maxGrowth {
			t.Errorf("%s: resident memory grew from %d to %d bytes", s.Name, warm[i].resident, after.resident)
		}
		if r := after.Recording; r != nil && r.Stopped != "" {
			t.Errorf("%s: %s", s.Name, r.Stopped)
		}
	}
	b.interrupt()
	if text := b.stderr.String(); text != "" {
		t.Errorf("the agent complained: %s", text)
	}
}

// forget discards the server's output, which would otherwise fill the test's memory.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgets, c.raw = true, nil
}

// A soak is a set of activities that run at the same time until ctx ends or one of them
// fails.
type soak struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	errs   []error
	counts map[string]int
}

// every repeats an activity at that pace, or as fast as it can if that is slower.
func (s *soak) every(pace time.Duration, name string, do func(ctx context.Context, i int) error) {
	s.work.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-s.ctx.Done():
				return
			case <-tick.C:
			}
			// An exchange that has begun may finish after the end of the test's time.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 4*patience)
			err := do(ctx, i)
			cancel()
			s.mu.Lock()
			if s.counts == nil {
				s.counts = map[string]int{}
			}
			s.counts[name]++
			if err != nil {
				s.errs = append(s.errs, fmt.Errorf("%s, time %d: %w", name, i+1, err))
				s.cancel()
			}
			s.mu.Unlock()
		}
	})
}

// tally returns how often each activity ran.
func (s *soak) tally() string {
	var all []string
	for name, count := range s.counts {
		all = append(all, fmt.Sprintf("%s %d", name, count))
	}
	return strings.Join(all, ", ")
}
