package fleet

import (
	"maps"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

// crew keeps the last heartbeat of each worker. A worker that is silent for a lease
// has died, or has stopped its trials.
type crew struct {
	lease time.Duration
	began time.Time
	heard map[string]heard     // by worker
	able  map[string]time.Time // by agent: when lacks last found a worker for it
}

// heard is a worker's last heartbeat.
type heard struct {
	at time.Time
	queue.Alive
}

func newCrew(lease time.Duration) crew {
	return crew{lease, time.Now(), make(map[string]heard), make(map[string]time.Time)}
}

// hear notes a heartbeat, and reports whether the worker has just joined or left.
func (c crew) hear(a queue.Alive) (joined, left bool) {
	_, known := c.heard[a.Worker]
	if a.Left {
		delete(c.heard, a.Worker)
		return false, known
	}
	c.heard[a.Worker] = heard{time.Now(), a}
	return !known, false
}

// lacks returns why an agent's client starts on no worker, and for how long that has
// been so. why is "" if it may start on one.
func (c crew) lacks(agent string) (why string, since time.Duration) {
	for _, h := range c.heard {
		if why = h.Lacks[agent]; why == "" {
			c.able[agent] = time.Now()
			return "", 0
		}
	}
	last, known := c.able[agent]
	if !known {
		last = c.began
	}
	return why, time.Since(last)
}

// present returns the workers heard from within a lease, sorted by name, and the
// names of the others, which it forgets.
func (c crew) present() (workers []queue.Alive, lost []string) {
	for _, name := range slices.Sorted(maps.Keys(c.heard)) {
		if h := c.heard[name]; time.Since(h.at) <= c.lease {
			workers = append(workers, h.Alive)
			continue
		}
		delete(c.heard, name)
		lost = append(lost, name)
	}
	return workers, lost
}
