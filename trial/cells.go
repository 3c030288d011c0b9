package trial

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A cell is one repetition of a scenario.
type cell struct {
	scenario.Scenario
	repeat int // from 1
}

// seed returns the cell's seed: first for the first repetition, one more for each
// further one.
func (c cell) seed(first uint64) uint64 { return first + uint64(c.repeat) - 1 }

// cells returns every repetition of every scenario in this shard, in order.
func (o *Options) cells() []cell {
	var all []cell
	n := 0
	for repeat := range max(o.Settings.Repeat, 1) {
		for _, s := range o.Scenarios {
			if n++; o.Shard.has(n) {
				all = append(all, cell{s, repeat + 1})
			}
		}
	}
	return all
}

// Shard selects every Of-th cell, starting with the I-th (from 1). The zero Shard
// selects all cells.
type Shard struct{ I, Of int }

// has reports whether the n-th cell (from 1) is in the shard.
func (s Shard) has(n int) bool { return s.Of == 0 || (n-s.I)%s.Of == 0 }

// indexVariable is the environment variable in which Kubernetes gives each pod of an
// indexed job its index, from 0.
const indexVariable = "JOB_COMPLETION_INDEX"

// ParseShard parses i/n with i from 1 to n, or /n, which takes i from
// JOB_COMPLETION_INDEX plus 1. An empty text returns the zero Shard.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	fault := fmt.Errorf("--shard %q: accepted are i/n with i from 1 to n, for instance 2/5, and /n, which takes i from %s plus 1", text, indexVariable)
	first, of, found := strings.Cut(text, "/")
	n, err := strconv.Atoi(of)
	if err != nil || !found || n < 1 {
		return Shard{}, fault
	}
	var i int
	if first == "" {
		index := os.Getenv(indexVariable)
		if i, err = strconv.Atoi(index); err != nil {
			return Shard{}, fmt.Errorf("--shard %s: %s is %q, but must be a number from 0 to %d; outside an indexed job use --shard i/%d", text, indexVariable, index, n-1, n)
		}
		i++
	} else if i, err = strconv.Atoi(first); err != nil {
		return Shard{}, fault
	}
	if i < 1 || i > n {
		return Shard{}, fault
	}
	return Shard{i, n}, nil
}

// past returns what earlier runs of this trial, from its --jsonl file, know about a
// cell. They may have had another number of repetitions.
func (o *Options) past(c cell) score.Past {
	past := o.Lines.Past(c.Name, c.repeat)
	number := 0 // a trial without repetitions does not number them
	if o.Settings.Repeat > 1 {
		number = c.repeat
	}
	for n, x := range past.Judged {
		x.Repeat = number
		past.Judged[n] = x
	}
	if past.Result == nil {
		return past
	}
	r := *past.Result
	if r.Repeats = nil; number > 0 {
		r.Repeats = []score.Repeat{o.repetition(c, r)}
	}
	past.Result = &r
	return past
}

// repetition returns the result r of a cell as that of one repetition.
func (o *Options) repetition(c cell, r score.Result) score.Repeat {
	one := score.Repeat{Repeat: c.repeat, Seed: c.seed(o.Settings.Seed), Passed: r.Passed, Reason: r.Reason,
		Sent: r.Tally.Sent, Right: r.Tally.Right}
	if r.Reward != nil {
		one.Reward = *r.Reward
	}
	return one
}

// recall returns the result of a cell that an earlier run of this trial finished. ok is
// false if there is none.
func (o *Options) recall(c cell) (r score.Result, ok bool) {
	past := o.past(c)
	if past.Result == nil {
		return r, false
	}
	r = *past.Result
	r.Exchanges = merged(past.Judged, nil)
	c.MarkProbes(r.Exchanges)
	return r, true
}

// Empty reports whether the shard has no cells.
func (o *Options) Empty() bool { return len(o.cells()) == 0 }
