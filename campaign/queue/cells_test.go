package queue

import (
	"context"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// Whatever happened before, Fill leaves every cell that has not ended in the queue
// exactly once.
func TestFill(t *testing.T) {
	c := newCampaign(t, 8, time.Minute, "a", "b")
	cells := append(cellsOf("a", 4), cellsOf("b", 1)...)
	ended := func(ids ...string) func(string) bool {
		return func(cell string) bool {
			for _, id := range ids {
				if id == cell {
					return true
				}
			}
			return false
		}
	}
	for _, step := range []struct {
		name   string
		before func()
		ended  func(string) bool
		filled int
		left   int // in the queue
	}{
		{"a first start; the folder has records of two cells", nil, ended("a_ping_fix_1", "b_ping_fix_1"), 3, 3},
		{"a second start", nil, ended("a_ping_fix_1", "b_ping_fix_1"), 0, 3},
		{"a cell whose record was removed", nil, ended("a_ping_fix_1"), 1, 4},
		{"a cell that has a verdict but is still queued", func() {
			if err := c.Publish(t.Context(), verdictOf(cells[1], time.Now())); err != nil {
				t.Fatal(err)
			}
		}, ended("a_ping_fix_1"), 0, 3},
		{"a cell that was lost from the queue", func() {
			if err := c.Drop(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
		}, ended("a_ping_fix_1"), 1, 3},
		{"all have ended", nil, func(string) bool { return true }, 0, 0},
	} {
		if step.before != nil {
			step.before()
		}
		filled, err := c.Fill(t.Context(), cells, step.ended)
		if err != nil || filled != step.filled {
			t.Errorf("%s: Fill added %d cells, %v, want %d", step.name, filled, err, step.filled)
		}
		if queued, err := tokens(t.Context(), c.cells, c.cellSubject("*", "*")); err != nil || len(queued) != step.left {
			t.Errorf("%s: the queue has %v, %v, want %d", step.name, queued, err, step.left)
		}
	}
}

// An agent's limit bounds how many of its cells are given out at once. It does not
// affect other agents, and can be raised.
func TestLimit(t *testing.T) {
	c := newCampaign(t, 2, time.Minute, "a", "b")
	c.fill(t, append(cellsOf("a", 4), cellsOf("b", 1)...))
	first, second := c.await(t, "a"), c.await(t, "a")
	if first.ID == second.ID {
		t.Fatalf("the cell %s was given out twice", first.ID)
	}
	if third := c.take(t, "a"); third != nil {
		t.Errorf("a third cell, %s, was given out with a limit of 2", third.ID)
	}
	if c.await(t, "b") == nil {
		t.Error("another agent got no cell")
	}
	if err := first.Ended(t.Context()); err != nil {
		t.Fatal(err)
	}
	if next := c.await(t, "a"); next.ID == first.ID || next.ID == second.ID {
		t.Errorf("after a cell ended, the next is %s again", next.ID)
	}
	if third := c.take(t, "a"); third != nil {
		t.Errorf("a third cell, %s, was given out with a limit of 2", third.ID)
	}
	if err := c.Limit(t.Context(), "a", 3, time.Minute); err != nil {
		t.Fatal(err)
	}
	c.await(t, "a")
}

// A cell without heartbeats is given out again. A cell with heartbeats is not.
func TestLease(t *testing.T) {
	const lease = 1500 * time.Millisecond
	c := newCampaign(t, 2, lease, "a")
	c.fill(t, cellsOf("a", 2))
	silent, beating := c.await(t, "a"), c.await(t, "a")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(lease / 10)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := beating.Heartbeat(ctx); err != nil && ctx.Err() == nil {
					ended <- err
					return
				}
			case <-ctx.Done():
				ended <- nil
				return
			}
		}
	}()
	for range 2 {
		again := c.await(t, "a")
		if again.ID != silent.ID || !again.again {
			t.Errorf("the cell %s was given out again, want only %s", again.ID, silent.ID)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Heartbeat: %v", err)
	}
	seen := make(map[string]bool)
	for !seen[beating.ID] { // it has no heartbeats any more
		seen[c.await(t, "a").ID] = true
	}
}

// A cell that is given back is given out again after the given time, with its tries.
func TestGiveBack(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	c.fill(t, cellsOf("a", 1))
	task := c.await(t, "a")
	if tries, err := task.Tries(t.Context()); err != nil || len(tries.Failed) > 0 || tries.Under != nil {
		t.Errorf("a new cell has the tries %+v, %v", tries, err)
	}
	want := Tries{Failed: []record.Try{{Worker: "w", Reason: "no client"}}, Waits: 2, Under: &UnderWay{Worker: "w"}}
	if err := task.Note(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, 300 * time.Millisecond} {
		began := time.Now()
		if err := task.GiveBack(after); err != nil {
			t.Fatal(err)
		}
		if task = c.await(t, "a"); time.Since(began) < after {
			t.Errorf("the cell came after %v, want at least %v", time.Since(began), after)
		}
		tries, err := task.Tries(t.Context())
		if err != nil || tries.Waits != 2 || len(tries.Failed) != 1 || tries.Failed[0].Reason != "no client" || tries.Under.Worker != "w" {
			t.Errorf("after %v the cell has the tries %+v, %v", after, tries, err)
		}
	}
	if err := task.Ended(t.Context()); err != nil {
		t.Fatal(err)
	}
	if task := c.take(t, "a"); task != nil {
		t.Errorf("%s was given out after it ended", task.ID)
	}
}

// An unreadable cell is an error, and is removed from the queue.
func TestTakeUnreadable(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	if _, err := c.js.Publish(t.Context(), c.cellSubject("a", "x"), []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 100 { // a message may take a moment to arrive
		var task *Task
		if task, err = c.Take(t.Context(), "a"); task != nil {
			t.Fatalf("%+v", task)
		} else if err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal("Take returned no error for an unreadable cell")
	}
	c.fill(t, []plan.Cell{{ID: "a_ping_fix_1", Agent: "a"}})
	if task := c.await(t, "a"); task.ID != "a_ping_fix_1" {
		t.Errorf("%+v", task.Cell)
	}
}
