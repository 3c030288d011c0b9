package worker

import (
	"context"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

// A worker whose lease has expired leaves the cell to the worker that has it now.
func TestExpiredLease(t *testing.T) {
	server, err := queue.Embed(queue.Embedded{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	c, err := queue.Create(t.Context(), nc, "c", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Leave()
	limit := func(lease time.Duration) {
		if err := c.Limit(t.Context(), "a", 1, lease); err != nil {
			t.Fatal(err)
		}
	}
	take := func() *queue.Task {
		task, err := c.Take(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	await := func() *queue.Task {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if task := take(); task != nil {
				return task
			}
			<-tick.C
		}
	}
	limit(time.Second)
	if _, err := c.Fill(t.Context(), []plan.Cell{{ID: "a_ping_fix_1", Agent: "a"}}, func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	first, second := await(), await() // the first lease has expired
	limit(time.Hour)
	if err := second.Heartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours := queue.Tries{Under: &queue.UnderWay{Worker: "second"}}
	if err := second.Note(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancelCause(t.Context())
	end(errLease)
	w := &Worker{Log: t.Logf}
	w.giveBack(ctx, first, queue.Tries{}, 0)
	c.Flush(t.Context())
	for range 10 {
		if third := take(); third != nil {
			t.Fatalf("%s was given out a third time while the second worker runs it", third.ID)
		}
	}
	if tries, err := second.Tries(t.Context()); err != nil || tries.Under == nil {
		t.Errorf("the second worker's note is %+v, %v", tries, err)
	}
}
