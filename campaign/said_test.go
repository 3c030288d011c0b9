package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// said collects the output of a process. A test can wait for a part of it.
type said struct {
	mu      sync.Mutex
	all     strings.Builder
	changed chan struct{}
}

func newSaid() *said { return &said{changed: make(chan struct{})} }

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.all.Write(b)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// says waits until the process has printed text, and returns the rest of that line.
func (p *process) says(text string) string {
	p.t.Helper()
	deadline := time.After(time.Minute)
	for {
		p.said.mu.Lock()
		all, changed := p.said.all.String(), p.said.changed
		p.said.mu.Unlock()
		if _, rest, ok := strings.Cut(all, text); ok {
			line, _, whole := strings.Cut(rest, "\n")
			if whole {
				return line
			}
		}
		select {
		case <-changed:
		case <-p.ended:
			p.t.Fatalf("%v ended without printing %q; its output is:\n%s", p.Args[1:], text, p.said.text())
		case <-deadline:
			p.t.Fatalf("%v has not printed %q within a minute; its output is:\n%s", p.Args[1:], text, p.said.text())
		}
	}
}

// await waits until is returns true, for up to a minute. what describes that.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited a minute until %s", what)
		}
	}
}

// ended waits until at least this many cells have a record.
func (f *field) ended(cells int) {
	f.t.Helper()
	await(f.t, fmt.Sprintf("%d cells have ended", cells), func() bool {
		data, err := os.ReadFile(f.folder.Results())
		return err == nil && strings.Count(string(data), "\n") >= cells
	})
}

// interrupt sends Ctrl-C.
func (p *process) interrupt() {
	p.t.Helper()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
}

// most returns the largest number of an agent's trials that ran at once, according
// to their records.
func most(records []record.Record, agent string) int {
	type edge struct {
		at   time.Time
		step int
	}
	var edges []edge
	for _, r := range records {
		if r.Agent == agent {
			edges = append(edges, edge{r.Started, 1}, edge{r.Started.Add(time.Duration(r.Seconds * float64(time.Second))), -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	now, peak := 0, 0
	for _, e := range edges {
		now += e.step
		peak = max(peak, now)
	}
	return peak
}
