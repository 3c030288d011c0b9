package queue

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
)

// embed starts a server that stores its data in folder.
func embed(t *testing.T, folder string) *Server {
	t.Helper()
	server, err := Embed(Embedded{Folder: folder, Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// create creates or opens a campaign on the server.
func create(t *testing.T, server *Server, name string) *Campaign {
	t.Helper()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c, err := Create(t.Context(), nc, name, 1)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newCampaign creates a campaign with these agents on its own server. parallel and
// lease are as for Limit.
func newCampaign(t *testing.T, parallel int, lease time.Duration, agents ...string) *Campaign {
	t.Helper()
	t.Parallel()
	c := create(t, embed(t, t.TempDir()), "c")
	for _, agent := range agents {
		if err := c.Limit(t.Context(), agent, parallel, lease); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// cellsOf returns n cells of an agent.
func cellsOf(agent string, n int) []plan.Cell {
	var cells []plan.Cell
	for i := range n {
		cells = append(cells, plan.Cell{ID: fmt.Sprintf("%s_ping_fix_%d", agent, i+1), Agent: agent, Scenario: "ping", Repetition: i + 1, Args: []string{"trial"}})
	}
	return cells
}

// fill puts cells into an empty queue. None of them has ended.
func (c *Campaign) fill(t *testing.T, cells []plan.Cell) {
	t.Helper()
	if n, err := c.Fill(t.Context(), cells, func(string) bool { return false }); err != nil || n != len(cells) {
		t.Fatalf("Fill added %d cells, %v, want %d", n, err, len(cells))
	}
}

// take takes a cell. It returns nil if there is none.
func (c *Campaign) take(t *testing.T, agent string) *Task {
	t.Helper()
	task, err := c.Take(t.Context(), agent)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// await takes a cell, and waits up to 20 s for one.
func (c *Campaign) await(t *testing.T, agent string) *Task {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if task := c.take(t, agent); task != nil {
			return task
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("no cell of %s came within 20 s", agent)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	server := embed(t, t.TempDir())
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if _, err := Join(t.Context(), nc, ""); err == nil || !strings.Contains(err.Error(), "there is no campaign on this server") || Refused(err) {
		t.Errorf("on a server without a campaign: %v, want an error that waiting may cure", err)
	}
	create(t, server, "one")
	if c, err := Join(t.Context(), nc, ""); err != nil || c.Name != "one" {
		t.Errorf("the only campaign: %+v, %v", c, err)
	}
	create(t, server, "two")
	if _, err := Join(t.Context(), nc, ""); err == nil || !strings.Contains(err.Error(), "choose one with --name: one, two") || !Refused(err) {
		t.Errorf("with two campaigns: %v", err)
	}
	if c, err := Join(t.Context(), nc, "two"); err != nil || c.Name != "two" {
		t.Errorf("by name: %+v, %v", c, err)
	}
	if _, err := Join(t.Context(), nc, "three"); err == nil || !strings.Contains(err.Error(), "joining the campaign three") {
		t.Errorf("by an unknown name: %v", err)
	}
}

// Workers learn the start's state, at once or when it changes, and the start hears
// the workers' heartbeats.
func TestStateAndAlive(t *testing.T) {
	c := newCampaign(t, 1, time.Minute)
	states := make(chan State, 4)
	if err := c.WatchState(t.Context(), func(s State) { states <- s }); err != nil {
		t.Fatal(err)
	}
	for _, phase := range []string{Running, Paused} {
		if err := c.SetState(t.Context(), State{Phase: phase, Lease: time.Second, Agents: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-states:
			if s.Phase != phase || s.Lease != time.Second || len(s.Agents) != 1 {
				t.Errorf("the worker's state is %+v, want %s", s, phase)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the worker did not learn the state %s within 20 s", phase)
		}
	}
	heard := make(chan Alive, 1)
	if err := c.Hear(t.Context(), func(a Alive) { heard <- a }); err != nil {
		t.Fatal(err)
	}
	c.Flush(t.Context()) // so that the server has the subscription
	c.Tell(Alive{Worker: "w", Running: []string{"a_ping_fix_1"}})
	select {
	case a := <-heard:
		if a.Worker != "w" || len(a.Running) != 1 {
			t.Errorf("the start got the heartbeat %+v", a)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the start got no heartbeat within 20 s")
	}
}

// A restarted server still has its cells and verdicts.
func TestServerComesBack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server := embed(t, folder)
	c := create(t, server, "c")
	if err := c.Limit(t.Context(), "a", 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	cells := cellsOf("a", 3)
	c.fill(t, cells)
	if err := c.Publish(t.Context(), verdictOf(cells[0], time.Now())); err != nil {
		t.Fatal(err)
	}
	c.Leave()
	server.Close()
	again := create(t, embed(t, folder), "c")
	if n, err := again.Fill(t.Context(), cells, func(string) bool { return false }); n != 0 || err != nil {
		t.Errorf("Fill added %d cells, %v, want none", n, err)
	}
	if task := again.await(t, "a"); task.ID != cells[1].ID {
		t.Errorf("the first cell is %s, want the first one without a verdict", task.ID)
	}
}

func TestHandlers(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a", "b")
	c.fill(t, append(cellsOf("a", 1), cellsOf("b", 1)...))
	if err := c.KeepHandler(t.Context(), "a", "def handle(p): return []"); err != nil {
		t.Fatal(err)
	}
	if source, err := c.await(t, "a").HandlerSource(t.Context()); err != nil || string(source) != "def handle(p): return []" {
		t.Errorf("%q, %v", source, err)
	}
	if _, err := c.await(t, "b").HandlerSource(t.Context()); err == nil || !strings.Contains(err.Error(), "asking for the handler of b") {
		t.Errorf("for an agent without a handler: %v", err)
	}
}
