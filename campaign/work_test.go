//go:build unix

package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

const token = "a-token-of-a-test-0123456789"

// file writes a file that only its owner may read.
func (f *field) file(name, content string) string {
	f.t.Helper()
	path := filepath.Join(f.home, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// listen starts the campaign without a worker, and returns the URL to join.
func (f *field) listen(args ...string) (start *process, address string) {
	f.t.Helper()
	start = f.begin(append([]string{"start", f.plan, "--at-once", "0", "--listen", "127.0.0.1:0", "--token-file", f.file("token", token)}, args...)...)
	address, _, _ = strings.Cut(start.says("campaign work --join "), " ")
	return start, address
}

// work starts a worker with its own folder, and waits until it has joined.
func (f *field) work(address string, args ...string) *process {
	f.t.Helper()
	w := f.begin(append([]string{"work", "--join", address, "--token-file", f.file("token", token), "--folder", f.t.TempDir()}, args...)...)
	w.says("has joined the campaign")
	return w
}

// killMidTrial kills the worker while one of its trials is running. On Linux that is
// certain, because the worker is stopped first.
func (p *process) killMidTrial() {
	p.t.Helper()
	if _, err := os.Stat("/proc/self/task"); err == nil {
		proc := fmt.Sprintf("/proc/%d/", p.Process.Pid)
		await(p.t, "the worker has a trial", func() bool {
			if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
				p.t.Fatal(err)
			}
			await(p.t, "the worker is stopped", func() bool {
				stat, err := os.ReadFile(proc + "stat")
				return err == nil && strings.Contains(string(stat), ") T ")
			})
			children, _ := filepath.Glob(proc + "task/*/children")
			if slices.ContainsFunc(children, func(path string) bool { data, _ := os.ReadFile(path); return len(data) > 0 }) {
				return true
			}
			_ = p.Process.Signal(syscall.SIGCONT)
			return false
		})
	}
	if err := p.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
}

// Of three workers, one is killed, one leaves and one joins late. Every cell has one
// verdict, and no agent exceeds its limit.
func TestWorkers(t *testing.T) {
	repetitions := tuntest.Long(12, 100)
	cells := 4 * repetitions
	f := newField(t, fmt.Sprintf(`
agents: [{name: a, agent: "{config} slow 150ms", parallel: 3}, {name: b, agent: "{config} slow 90ms", parallel: 2}]
scenarios: [ping, dns]
repetitions: %d
limits: {wait: 100ms}
`, repetitions))
	start, address := f.listen("--lease", "2s")
	victim, leaver := f.work(address, "--at-once", "3"), f.work(address, "--at-once", "3")
	f.ended(cells / 8)
	victim.killMidTrial()
	leaver.interrupt()
	leaver.ends(0)
	late := f.work(address)
	if out := start.ends(0); !strings.Contains(out, "lost contact with") || !strings.Contains(out, "has left") {
		t.Errorf("the start does not report the killed worker and the one that left:\n%s", out)
	}
	late.ends(0)
	f.noneAlive()
	records := f.allDone(cells)
	workers, lost := make(map[string]int), 0
	for _, r := range records {
		workers[r.Worker]++
		for _, try := range r.Tries {
			if !strings.Contains(try.Reason, "its worker died") {
				t.Errorf("%s was tried again: %s", r.Cell, try.Reason)
			}
			lost++
		}
	}
	if lost == 0 || lost > 3 {
		t.Errorf("%d tries were lost with the killed worker, want 1 to 3", lost)
	}
	if len(workers) < 2 {
		t.Errorf("all cells ran on one worker: %v", workers)
	}
	if a, b := most(records, "a"), most(records, "b"); a > 3 || b > 2 || a < 2 {
		t.Errorf("%d trials of a and %d of b ran at once, want at most 3 and 2, and at least 2 of a", a, b)
	}
	t.Logf("cells by worker: %v", workers)
}

// A handler's program is sent to workers that do not have its file, and is part of
// the plan.
func TestHandler(t *testing.T) {
	f := newField(t, `
agents: [{name: right, agent: handler, handler: right.star}, {name: wrong, agent: handler, handler: wrong.star}]
scenarios: [ping]
repetitions: 4
`)
	f.file("right.star", "slow 10ms")
	path := f.file("wrong.star", "wrong")
	start, address := f.listen()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f.work(address).ends(0)
	start.ends(0)
	for _, r := range f.allDone(8) {
		if want := map[string]int{"right": 3, "wrong": 1}[r.Agent]; r.Right != want {
			t.Errorf("%s has %d right answers, want %d", r.Cell, r.Right, want)
		}
	}
	f.file("wrong.star", "slow 10ms")
	if out := f.begin("start", f.plan).ends(1); !strings.Contains(out, "the plan was changed") {
		t.Errorf("a start with another program says %s", out)
	}
}

// A worker without the agent's client leaves its cells to a worker that has it, and
// no try is lost.
func TestClientOnOneWorker(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} absent"}]
scenarios: [ping]
repetitions: 8
`)
	start, address := f.listen()
	f.work(address).says("a cannot start here")
	f.env = []string{"TUN_MCP_TEST_INSTALLED=1"}
	f.work(address)
	start.ends(0)
	for _, r := range f.allDone(8) {
		if len(r.Tries) > 0 {
			t.Errorf("%s was tried again: %v", r.Cell, r.Tries)
		}
	}
}

// A network cut for less than a lease costs nothing. A longer one costs the running
// trials. No cell has two verdicts.
func TestNetworkCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		lease, cut time.Duration
		retried    bool
	}{
		{"for less than a lease", tuntest.Long(6*time.Second, 45*time.Second), tuntest.Long(2*time.Second, 30*time.Second), false},
		{"for longer", 2 * time.Second, tuntest.Long(4*time.Second, 30*time.Second), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newField(t, `
agents: [{name: a, agent: "{config} slow 1s", parallel: 2}]
scenarios: [ping]
repetitions: 8
limits: {wait: 100ms}
`)
			start, address := f.listen("--lease", c.lease.String())
			server, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			way := newProxy(t, server.Host)
			f.work("nats://" + way.listener.Addr().String())
			f.ended(2)
			await(t, "a trial is running", func() bool { return len(f.alive()) > 0 })
			way.cut()
			other := (*process)(nil)
			if c.retried { // the other worker gets the cells of the one that is cut off
				other = f.work(address)
			}
			<-time.After(c.cut)
			way.mend()
			start.ends(0)
			if other != nil {
				other.ends(0)
			}
			f.noneAlive()
			retried := 0
			records := f.allDone(8)
			for _, r := range records {
				retried += len(r.Tries)
			}
			if (retried > 0) != c.retried {
				t.Errorf("%d tries were repeated after a cut of %v with a lease of %v", retried, c.cut, c.lease)
			}
			if n := most(records, "a"); n > 2 {
				t.Errorf("%d trials ran at once, want at most 2", n)
			}
		})
	}
}

// A worker stops for longer than its lease, as if its machine slept. When it
// continues, it hands in the verdict of a cell that has also run elsewhere. Only one
// of the two verdicts counts.
func TestWorkerThatStandsStill(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 800ms", parallel: 2}]
scenarios: [ping]
repetitions: 6
limits: {wait: 100ms}
`)
	start, address := f.listen("--lease", "1s")
	still := f.work(address)
	await(t, "a trial is running", func() bool { return len(f.alive()) > 0 })
	if err := still.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	other := f.work(address)
	f.ended(3)
	if err := still.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	start.ends(0)
	other.ends(0)
	still.ends(0)
	f.allDone(6)
	f.noneAlive()
}

// After a start is killed and restarted on the same port, its workers reconnect, and
// the trials that they finished meanwhile count. With 4 cells all have ended by then,
// and the worker still learns that the campaign has ended.
func TestServerComesBack(t *testing.T) {
	t.Parallel()
	for _, cells := range []int{4, 8} {
		t.Run(fmt.Sprint(cells, " cells"), func(t *testing.T) { serverComesBack(t, cells) })
	}
}

func serverComesBack(t *testing.T, cells int) {
	f := newField(t, fmt.Sprintf(`
agents: [{name: a, agent: "{config} slow 400ms", parallel: 2}]
scenarios: [ping]
repetitions: %d
`, cells))
	start, address := f.listen("--lease", "5s")
	worker := f.work(address)
	f.ended(2)
	if err := start.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-start.ended
	server, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f.begin("start", f.plan, "--at-once", "0", "--lease", "5s", "--listen", server.Host, "--token-file", f.file("token", token)).ends(0)
	worker.ends(0)
	for _, r := range f.allDone(cells) {
		if len(r.Tries) > 0 {
			t.Errorf("%s was tried again, but its worker kept running and could have finished it", r.Cell)
		}
	}
}
