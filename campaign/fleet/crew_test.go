package fleet

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(10 * time.Second)
		present := func(want, wantLost []string) {
			t.Helper()
			var names []string
			workers, lost := c.present()
			for _, w := range workers {
				names = append(names, w.Worker)
			}
			if !slices.Equal(names, want) || !slices.Equal(lost, wantLost) {
				t.Errorf("present %v, lost %v, want %v and %v", names, lost, want, wantLost)
			}
		}
		hear := func(a queue.Alive, wantJoined, wantLeft bool) {
			t.Helper()
			if joined, left := c.hear(a); joined != wantJoined || left != wantLeft {
				t.Errorf("%+v: joined %v, left %v, want %v and %v", a, joined, left, wantJoined, wantLeft)
			}
		}
		present(nil, nil)
		hear(queue.Alive{Worker: "b", Running: []string{"x"}}, true, false)
		hear(queue.Alive{Worker: "a"}, true, false)
		present([]string{"a", "b"}, nil)
		time.Sleep(6 * time.Second)
		hear(queue.Alive{Worker: "a"}, false, false)
		time.Sleep(4 * time.Second)
		present([]string{"a", "b"}, nil) // b has been silent for exactly a lease
		time.Sleep(time.Second)
		present([]string{"a"}, []string{"b"})
		present([]string{"a"}, nil)
		hear(queue.Alive{Worker: "b"}, true, false) // it was only slow
		hear(queue.Alive{Worker: "a", Left: true}, false, true)
		hear(queue.Alive{Worker: "a", Left: true}, false, false)
		hear(queue.Alive{Worker: "c", Left: true}, false, false) // it left before its first heartbeat
		present([]string{"b"}, nil)
	})
}
