package fleet

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// An agent is given up when no worker has its client, and not before other workers
// had a lease to join.
func TestGiveUpAbsent(t *testing.T) {
	without := func(name string) queue.Alive {
		return queue.Alive{Worker: name, Lacks: map[string]string{"a": "not found"}}
	}
	for _, c := range []struct {
		name     string
		joinable bool
		after    time.Duration
		workers  []queue.Alive
		failed   int
	}{
		{name: "no worker", after: time.Hour},
		{name: "the only worker lacks it", workers: []queue.Alive{without("w")}, failed: 2},
		{name: "one of two lacks it", workers: []queue.Alive{without("v"), {Worker: "w"}}},
		{name: "both lack it", workers: []queue.Alive{without("v"), without("w")}, failed: 2},
		{name: "another may join", joinable: true, after: 59 * time.Second, workers: []queue.Alive{without("w")}},
		{name: "no other has joined", joinable: true, after: time.Minute, workers: []queue.Alive{without("w")}, failed: 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			cells := []plan.Cell{{ID: "a1", Agent: "a"}, {ID: "b1", Agent: "b"}, {ID: "a2", Agent: "a"}}
			f := &Fleet{Folder: record.Folder(t.TempDir()), Lease: time.Minute, Joinable: c.joinable, Log: t.Logf,
				cells: cells, began: time.Now(), crew: newCrew(time.Minute), agents: standings{"a": {}, "b": {}}}
			var err error
			if f.book, err = f.Folder.OpenBook(); err != nil {
				t.Fatal(err)
			}
			defer f.book.Close()
			time.Sleep(c.after)
			for _, w := range c.workers {
				f.crew.hear(w)
			}
			f.giveUpAbsent()
			f.giveUpAbsent() // changes nothing more
			if a, sum := f.agents["a"], f.book.Sum(); sum.Failed != c.failed || a.Failed != c.failed || a.Ended != c.failed || f.book.Has("b1") || len(f.hopeless) != c.failed/2 {
				t.Errorf("%s: %+v, %+v", c.name, sum, *a)
			}
		})
	}
}

// When the last worker with an agent's client has gone, the others have a lease to
// come, however long the campaign has been running.
func TestAbleWorkerRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &Fleet{Folder: record.Folder(t.TempDir()), Lease: time.Minute, Joinable: true, Log: t.Logf,
			cells: []plan.Cell{{ID: "a1", Agent: "a"}}, began: time.Now(), crew: newCrew(time.Minute), agents: standings{"a": {}}}
		var err error
		if f.book, err = f.Folder.OpenBook(); err != nil {
			t.Fatal(err)
		}
		defer f.book.Close()
		failed := func(want int, when string) {
			t.Helper()
			if f.giveUpAbsent(); f.book.Sum().Failed != want {
				t.Errorf("%s: %d cells were given up, want %d", when, f.book.Sum().Failed, want)
			}
		}
		time.Sleep(time.Hour)
		f.crew.hear(queue.Alive{Worker: "start", Lacks: map[string]string{"a": "not found"}})
		f.crew.hear(queue.Alive{Worker: "able"})
		failed(0, "with the worker")
		f.crew.hear(queue.Alive{Worker: "able", Left: true})
		time.Sleep(59 * time.Second)
		failed(0, "59 s after it left")
		f.crew.hear(queue.Alive{Worker: "able"})
		failed(0, "when it is back")
		f.crew.hear(queue.Alive{Worker: "able", Left: true})
		time.Sleep(time.Minute)
		failed(1, "a lease after it left again")
	})
}
