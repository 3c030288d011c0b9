package trial

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// verdicts judges each request of a cell as soon as it has ended, and writes its line
// to the --jsonl file.
type verdicts struct {
	o      *Options
	cell   cell
	events *traffic.Events
	began  time.Time
	past   score.Past
	run    int // score.Exchange.Run

	marks   []mark                 // where the requests of the last calls of over began
	charged int                    // number of events whose costs are in lines
	written map[int]score.Exchange // by N
	err     error                  // the first failure to write a line
}

// A mark is a point in the run: the number of requests sent and events seen so far.
type mark struct{ requests, events int }

// marksKept bounds how many earlier requests are judged again with each new one. The
// verdict on a request can depend on a few requests around it.
const marksKept = 16

func newVerdicts(o *Options, c cell, events *traffic.Events, began time.Time) *verdicts {
	first, past, run := events.Count(), o.past(c), 0
	for _, x := range past.Judged {
		run = max(run, x.Run+1)
	}
	return &verdicts{o: o, cell: c, events: events, began: began, past: past, run: run,
		marks: []mark{{0, first}}, charged: first, written: make(map[int]score.Exchange)}
}

// done returns the outcomes of the requests that an earlier run judged, by N.
func (v *verdicts) done() map[int]string {
	outcomes := make(map[int]string, len(v.past.Judged))
	for n, x := range v.past.Judged {
		outcomes[n] = x.Outcome
	}
	return outcomes
}

// over judges the requests that have ended and writes their lines. They are judged
// again when the scenario ends.
func (v *verdicts) over(requests []judge.Request) {
	from := v.marks[0]
	events := v.events.Since(from.events)
	recent := requests[from.requests:]
	exchanges := v.judge(recent, events)
	settled := exchanges[:0:0]
	for i, x := range exchanges {
		// The sender may know of an answer before the events show it. So a loss is
		// certain only after the deadline, or at the end of the scenario.
		if x.Outcome != score.Lost || score.Milliseconds(time.Since(recent[i].Sent)) >= v.o.Settings.Deadline {
			settled = append(settled, x)
		}
	}
	v.write(settled)
	if v.marks = append(v.marks, mark{len(requests), from.events + len(events)}); len(v.marks) > marksKept {
		v.marks = v.marks[1:]
	}
}

// judge judges requests by the events since the first of them was sent.
func (v *verdicts) judge(requests []judge.Request, events []session.Event) []score.Exchange {
	exchanges := v.cell.Judge(requests, events, time.Duration(v.o.Settings.Deadline*float64(time.Millisecond)))
	for i := range exchanges {
		exchanges[i].Run, exchanges[i].At = v.run, score.Milliseconds(requests[i].Sent.Sub(v.began))
		if v.o.Settings.Repeat > 1 {
			exchanges[i].Repeat = v.cell.repeat
		}
	}
	v.cell.MarkProbes(exchanges)
	return exchanges
}

// write writes the lines of exchanges that are new or whose verdict has changed.
func (v *verdicts) write(exchanges []score.Exchange) {
	for _, x := range exchanges {
		if before, ok := v.written[x.N]; ok && reflect.DeepEqual(before, x) || v.o.Lines == nil {
			continue
		}
		v.written[x.N] = x
		events := v.events.Since(v.charged)
		v.charged += len(events)
		cost := score.Observed(events)
		v.line(score.Line{Type: score.LineRequest, Judged: &x, Cost: &cost})
	}
}

func (v *verdicts) line(line score.Line) {
	line.Scenario, line.Repeat, line.Seed = v.cell.Name, v.cell.repeat, v.cell.seed(v.o.Settings.Seed)
	if err := v.o.Lines.Write(line); err != nil && v.err == nil {
		v.err = fmt.Errorf("%w: %w", errLines, err)
	}
}

// errLines ends a trial that cannot save its verdicts.
var errLines = errors.New("writing a line of --jsonl failed")

// end writes the last line of the cell, with its result and where it ran.
func (v *verdicts) end(r score.Result, on score.Link) {
	r.Exchanges = nil // they have lines of their own
	v.line(score.Line{Type: score.LineScenario, Result: &r, Link: on})
}

// merged returns the exchanges of an earlier run and of this one, ordered by N.
func merged(past map[int]score.Exchange, now []score.Exchange) []score.Exchange {
	all := maps.Clone(past)
	if all == nil {
		all = make(map[int]score.Exchange)
	}
	for _, x := range now {
		all[x.N] = x
	}
	return slices.SortedFunc(maps.Values(all), func(a, b score.Exchange) int { return cmp.Compare(a.N, b.N) })
}
