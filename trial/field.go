package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A Field is what a scenario stands on: a session with an agent at one end, a
// way to send from the other, and a record of everything in between.
type Field struct {
	Session  *control.Client
	Status   session.Status // as of the start
	Settings score.Settings
	Rand     *rand.Rand // the scenario's own: the same seed sends the same packets

	record   *eventRecord
	progress *report.Progress
	heard    int // events looked at for signs of life
	unheard  int // deadlines in a row that passed without any
}

// deadline is how long an answer may take.
func (f *Field) deadline() time.Duration { return fromMilliseconds(f.Settings.Deadline) }

func (f *Field) interval() time.Duration { return fromMilliseconds(f.Settings.Interval) }

// answered shows what seems to have come of a request; the judge has the word.
// It returns errSilent once the agent no longer reads.
func (f *Field) answered(outcome string) error {
	f.show(outcome)
	return f.listen(outcome != score.Lost)
}

func (f *Field) show(outcome string) { f.progress.Add(score.Exchange{Outcome: outcome}) }

// patienceRequests is how many requests in a row an agent may leave unread
// before the trial ends: each takes as long as an answer may.
const patienceRequests = 3

var errSilent = fmt.Errorf("the agent has read nothing while %d requests came: it no longer plays", patienceRequests)

// listen looks for signs of life since it was called last, now that one more
// deadline has passed, or there was an answer. It returns errSilent once
// there has been none for too long.
func (f *Field) listen(answered bool) error {
	// An agent that reads, or calls any tool, may yet answer.
	events := f.record.since(f.heard)
	f.heard += len(events)
	if answered || slices.ContainsFunc(events, func(e session.Event) bool {
		return e.Event == session.EventDelivered || e.Event == session.EventCall
	}) {
		f.unheard = 0
		return nil
	}
	if f.unheard++; f.unheard >= patienceRequests {
		return errSilent
	}
	return nil
}

func fromMilliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// recorded waits for the events of what has crossed the link, also when the
// trial was interrupted, but not for long.
func (f *Field) recorded(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if status, err := f.Session.Status(ctx); err == nil {
		f.record.upTo(ctx, status.Counters)
	}
}

// quiet waits until the agent has read what there was and all events so far
// have been seen, for as long as an answer may take.
func (f *Field) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.deadline())
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for f.record.gone() == "" {
		status, err := f.Session.Status(ctx)
		if err != nil {
			return
		}
		if status.Counters.Queued == 0 && status.Readers > 0 {
			f.record.upTo(ctx, status.Counters)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
