package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// stage is a fleet under test. The test acts as its workers.
type stage struct {
	*Fleet
	t      *testing.T
	server *queue.Server
	ended  chan error // of Run
	stop   context.CancelFunc

	mu    sync.Mutex
	log   strings.Builder
	shown record.Status
}

// newStage returns a fleet with one agent, this many cells and its own server.
func newStage(t *testing.T, cells int, limits plan.Limits) *stage {
	t.Helper()
	t.Parallel()
	p := &plan.Plan{Name: "p", Agents: []plan.Agent{{Name: "a", Agent: "builtin", Parallel: 4}}, Scenarios: []string{"ping"}, Assist: []string{"fix"}, Repetitions: cells, Limits: limits}
	s := &stage{t: t}
	s.Fleet = &Fleet{Plan: p, Folder: record.Folder(filepath.Join(t.TempDir(), "c")), Lease: time.Minute, Log: func(format string, args ...any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(&s.log, format+"\n", args...)
	}, Shown: func(status record.Status) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shown = status
	}}
	if err := errors.Join(s.Folder.Make(), s.Folder.Keep(p)); err != nil {
		t.Fatal(err)
	}
	server, err := queue.Embed(queue.Embedded{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s.server = server
	s.Campaign = s.connect()
	return s
}

// connect opens the campaign on the stage's server, over a connection of its own.
func (s *stage) connect() *queue.Campaign {
	s.t.Helper()
	nc, err := s.server.Connect()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	c, err := queue.Create(s.t.Context(), nc, "p", 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// begin starts the fleet.
func (s *stage) begin() {
	stop, end := context.WithCancel(s.t.Context())
	s.stop, s.ended = end, make(chan error, 1)
	go func() { s.ended <- s.Run(stop, s.t.Context()) }()
}

// ends waits until Run returns, and checks its error.
func (s *stage) ends(want error) {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if !errors.Is(err, want) {
			s.t.Fatalf("Run returns %v, want %v", err, want)
		}
	case <-time.After(30 * time.Second):
		s.t.Fatal("Run has not returned within 30 s")
	}
}

// play hands in a verdict for the n-th cell, as a worker does.
func (s *stage) play(n int, change func(r *record.Record)) {
	s.t.Helper()
	r := record.Of(s.Plan.Cells()[n-1])
	r.State, r.Started = record.Done, time.Now()
	if change != nil {
		change(&r)
	}
	v := queue.Verdict{Record: r}
	if r.State == record.Done {
		v.Report = json.RawMessage(fmt.Sprintf(`{"version":1,"seed":%d}`, r.Seed))
	}
	if err := s.Campaign.Publish(s.t.Context(), v); err != nil {
		s.t.Fatal(err)
	}
}

// states counts the records by state. It checks that no cell has two.
func (s *stage) states() map[string]int {
	s.t.Helper()
	records, err := s.Folder.Records()
	if err != nil {
		s.t.Fatal(err)
	}
	states, seen := make(map[string]int), make(map[string]bool)
	for _, r := range records {
		if seen[r.Cell] {
			s.t.Errorf("the cell %s has two records", r.Cell)
		}
		seen[r.Cell] = true
		states[r.State]++
	}
	return states
}

func (s *stage) logged(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.log.String(), text)
}

// Every verdict is written down once, with the trial's JSON. The verdict of a cell
// that is not in the plan is ignored.
func TestRun(t *testing.T) {
	s := newStage(t, 3, plan.Limits{})
	s.begin()
	s.play(1, nil)
	s.play(1, func(r *record.Record) { r.Started = r.Started.Add(time.Second) })
	s.play(2, func(r *record.Record) { r.Cell, r.Agent = "of-another-plan", "b" })
	s.play(2, func(r *record.Record) { r.State, r.Reason = record.Failed, "no client" })
	s.play(3, nil)
	s.ends(nil)
	if states := s.states(); states[record.Done] != 2 || states[record.Failed] != 1 || len(states) != 2 {
		t.Errorf("the records are %v", states)
	}
	if s.shown.Phase != queue.Finished || s.shown.Done != 2 || s.shown.Failed != 1 || s.shown.Agents[0].Ended != 3 || s.shown.Trouble != "" {
		t.Errorf("shown is %+v", s.shown)
	}
	if status, err := s.Folder.Status(); err != nil || status.Phase != queue.Finished || status.Done != 2 {
		t.Errorf("kept is %+v, %v", status, err)
	}
	for _, n := range []int{1, 3} {
		cell := s.Plan.Cells()[n-1]
		if report, err := os.ReadFile(s.Folder.Trial(cell.ID)); err != nil || string(report) != fmt.Sprintf(`{"version":1,"seed":%d}`, cell.Seed) {
			t.Errorf("the JSON of %s is %s, %v", cell.ID, report, err)
		}
	}
}

// A stop waits for the verdicts of the running trials. The next start continues.
func TestStopAndGoOn(t *testing.T) {
	s := newStage(t, 2, plan.Limits{})
	s.begin()
	s.play(1, nil)
	s.until(func() bool { return s.states()[record.Done] == 1 }, "the first cell is done")
	s.Campaign.Tell(queue.Alive{Worker: "w", Running: []string{s.Plan.Cells()[1].ID}})
	s.until(func() bool { return s.logged("w has joined") }, "the worker has joined")
	s.stop()
	s.until(func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.shown.Phase == queue.Paused }, "the phase is paused")
	if len(s.ended) > 0 {
		t.Fatal("Run returned while a trial is running")
	}
	s.play(2, nil)
	s.Campaign.Tell(queue.Alive{Worker: "w", Left: true})
	s.ends(nil)
	if states := s.states(); states[record.Done] != 2 || !s.logged("w has left") {
		t.Errorf("the records are %v, the log is %s", states, s.log.String())
	}
	s.begin() // no cell is left, so Run returns at once
	s.ends(nil)
	if s.shown.Phase != queue.Finished {
		t.Errorf("shown is %+v", s.shown)
	}
}

// until waits until is returns true, for up to 20 s. what describes that.
func (s *stage) until(is func() bool, what string) {
	s.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if is() {
			return
		}
		<-tick.C
	}
	s.t.Fatalf("waited 20 s until %s", what)
}

// After a cancel, every cell that did not run has a record with the reason.
func TestCancel(t *testing.T) {
	s := newStage(t, 5, plan.Limits{})
	s.begin()
	s.play(1, nil)
	s.until(func() bool { return s.states()[record.Done] == 1 }, "the first cell is done")
	if err := s.Folder.Cancel(); err != nil {
		t.Fatal(err)
	}
	s.ends(ErrCancelled)
	if states := s.states(); states[record.Done] != 1 || states[record.Cancelled] != 4 {
		t.Errorf("the records are %v", states)
	}
	if s.shown.Phase != queue.Cancelled || s.shown.Agents[0].Ended != 5 {
		t.Errorf("shown is %+v", s.shown)
	}
}

// The cost limit counts trials and failed tries. Run waits for the running trials.
func TestCostLimit(t *testing.T) {
	s := newStage(t, 5, plan.Limits{Cost: 1})
	s.begin()
	s.play(1, func(r *record.Record) {
		r.Usage, r.Tries = &score.Usage{CostUSD: 0.5}, []record.Try{{Reason: "crashed", CostUSD: 0.5}}
	})
	s.ends(ErrLimit)
	if states := s.states(); states[record.Done] != 1 || len(states) != 1 {
		t.Errorf("the records are %v", states)
	}
	if s.shown.Phase != queue.Paused || !strings.Contains(s.shown.Why, "$1.00 of $1.00") {
		t.Errorf("shown is %+v", s.shown)
	}
}

// The cells of an agent that cannot run are given up and leave the queue. With Again
// they run.
func TestGiveUpAndAgain(t *testing.T) {
	s := newStage(t, 20, plan.Limits{})
	s.begin()
	absent := func(r *record.Record) { r.State, r.Reason = record.Failed, "not found" }
	for n := range hopeless {
		s.play(n+1, absent)
	}
	s.ends(nil)
	if states := s.states(); states[record.Failed] != 20 || !s.logged("15 cells of a are not tried, because the first 5 cells of this agent could not run: not found") {
		t.Errorf("the records are %v, the log is %s", states, s.log.String())
	}
	s.Again = true
	s.begin()
	for n := range 20 {
		s.until(func() bool { return s.logged("running 20 cells again that could not run") }, "the cells run again")
		s.play(n+1, nil)
	}
	s.ends(nil)
	if states := s.states(); states[record.Done] != 20 || len(states) != 1 {
		t.Errorf("the records are %v", states)
	}
}

// If the server can no longer store messages, the start ends with the next step.
func TestServerBroken(t *testing.T) {
	s := newStage(t, 2, plan.Limits{})
	s.Works = func() bool { return false }
	s.begin()
	s.ends(errBroken)
	if !strings.Contains(s.shown.Why, "free some space and start again") {
		t.Errorf("shown is %+v", s.shown)
	}
}
