package judge

import (
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// addTurns adds the times of the exchange's turns that ended within took of its beginning.
// If took is 0, it adds the first turn of each packet. A turn begins when its packet
// arrives, or at the end of the turn before, because an agent may acknowledge a request at
// once and then think about its answer.
func (c *programCase) addTurns(x *score.Exchange, j *journal, took time.Duration) {
	var last moment // when the turn before ended
	over := firstArrival(c.Request, j).Add(took)
	used := make(map[int]bool)
	for n, w := range c.written {
		if n > 0 && took > 0 && w.Time.After(over) {
			break // from here on the stacks only close the connection
		}
		trigger := c.trigger(j, &w)
		if trigger == 0 || used[trigger] && took == 0 {
			continue // a repetition without success adds no time
		}
		used[trigger] = true
		t := turn{from: j.packets[trigger].Time, delivered: j.delivered[trigger], written: w}
		if last.at.After(t.from) {
			t.from = last.at
		}
		if at := t.delivered.at; !at.IsZero() && last.at.After(at) {
			t.delivered = last // the agent had it already
		}
		addTurn(x, j, t)
		last = moment{w.Time, w.Call}
	}
}

// trigger returns the number of the packet of the exchange that w answers: the one that it
// names, or else the last one that the agent had read, or 0 if it had read none.
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
