package judge

import (
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// addTurns adds the times of all turns of the exchange that ended within took
// of its beginning, or of the first to each packet if took is 0. A turn begins when its packet
// arrives, or with the end of the turn before: an agent may acknowledge a
// request at once and think about its answer then.
func (c *programCase) addTurns(x *score.Exchange, j *journal, took time.Duration) {
	var last moment // when the turn before ended
	over := firstArrival(c.Request, j).Add(took)
	used := make(map[int]bool)
	for n, w := range c.written {
		if n > 0 && took > 0 && w.Time.After(over) {
			break // what comes now is the farewell of the two stacks
		}
		trigger := c.trigger(j, &w)
		if trigger == 0 || used[trigger] && took == 0 {
			continue // what is said again to no end takes no more time
		}
		used[trigger] = true
		t := turn{from: j.packets[trigger].Time, delivered: j.delivered[trigger], written: w}
		if last.at.After(t.from) {
			t.from = last.at
		}
		if at := t.delivered.at; !at.IsZero() && last.at.After(at) {
			t.delivered = last // it was in the agent's hands already
		}
		addTurn(x, j, t)
		last = moment{w.Time, w.Call}
	}
}

// trigger is the number of the packet of the exchange that w answers: the one
// that it names, else the one that the agent had read last by then; 0 if it had
// read none.
func (c *programCase) trigger(j *journal, w *crossed) (number int) {
	if c.triggers[w.ReplyTo] {
		return w.ReplyTo
	}
	for n := range c.triggers {
		if m, ok := j.delivered[n]; ok && !m.at.After(w.Time) && n > number {
			number = n
		}
	}
	return number
}
