// Package fleet is the part of a campaign that only its start runs: it fills the
// queue, writes down the verdicts, stops at the limits and reports the progress.
package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/worker"
)

// Fleet runs a campaign. Its exported fields must be set before Run.
type Fleet struct {
	Plan      *plan.Plan
	Folder    record.Folder
	Campaign  *queue.Campaign
	Lease     time.Duration                    // see queue.State
	Works     func() bool                      // reports whether the server can still store messages; nil means always
	Worker    *worker.Worker                   // of this machine; nil means none
	Again     bool                             // run again the cells that could not run
	Joinable  bool                             // workers of other machines can join
	Elsewhere bool                             // the server is not embedded: see record.Status
	Log       func(format string, args ...any) // called with messages for the user
	Shown     func(record.Status)              // called every second; may be nil

	cells   []plan.Cell
	agentOf map[string]string // by cell
	began   time.Time         // monotonic, because the wall clock may jump
	before  time.Duration     // running time of earlier starts
	arrived chan struct{}     // receives after a verdict
	done    chan struct{}     // closed when this machine's worker has ended

	mu      sync.Mutex
	book    *record.Book
	agents  standings
	crew    crew
	trouble string
	pace    pace

	hopeless []string // agents to remove from the queue
}

// ErrLimit says that a limit of the plan is reached. ErrCancelled says that the
// campaign was cancelled.
var (
	ErrLimit     = errors.New("the plan's limit is reached")
	ErrCancelled = errors.New("the campaign was cancelled")
	errStopped   = errors.New("stopped")
)

const (
	lookEvery = 200 * time.Millisecond
	tellEvery = time.Second
	quietTime = 20 * time.Second // for one request to the server
)

// Run runs the campaign until all cells have ended, and returns nil. When stop is
// cancelled, no new trial starts, and Run waits for the running trials and returns
// nil. When now is cancelled, Run ends them at once.
func (f *Fleet) Run(stop, now context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(now))
	defer end()
	if err := f.open(life); err != nil {
		return err
	}
	defer f.book.Close()
	leaving, leave := context.WithCancel(stop) // stops this machine's worker
	defer leave()
	ending, halt := context.WithCancel(now) // ends this machine's trials
	defer halt()
	if f.Worker != nil {
		go func() {
			defer close(f.done)
			if err := f.Worker.Run(leaving, ending, f.Campaign); err != nil {
				f.Log("%v", err)
			}
		}()
	} else {
		close(f.done)
	}
	why := f.untilEnd(life, stop, now)
	phase, text := queue.Paused, "stopped; start again to continue"
	switch {
	case why == nil:
		phase, text = queue.Finished, ""
	case errors.Is(why, ErrCancelled):
		phase, text = queue.Cancelled, why.Error()
	case errors.Is(why, record.ErrLocked): // the workers listen to another start by now
		return f.yield(why, end, leave, halt)
	case errors.Is(why, errBroken):
		leave()
		f.show(queue.Paused, why.Error())
		return why
	case !errors.Is(why, errStopped):
		text = why.Error()
	}
	err := f.endAs(life, now, phase, text, leave)
	if err == nil && phase == queue.Paused && f.remaining() == 0 { // the running trials were the last
		why, err = nil, f.endAs(life, now, queue.Finished, "", leave)
	}
	switch {
	case errors.Is(err, record.ErrLocked):
		return f.yield(err, end, leave, halt)
	case err != nil:
		return err
	case errors.Is(why, errStopped):
		return nil
	}
	return why
}

// endAs tells the workers the phase, and waits until no trial is running and all
// verdicts are written down.
func (f *Fleet) endAs(ctx, now context.Context, phase, why string, leave func()) error {
	if err := f.tellAll(ctx, phase, why); err != nil {
		return err
	}
	leave()
	return f.settle(ctx, now, phase, why)
}

// yield leaves the campaign to another start. It ends the collecting of verdicts and
// this machine's trials, and waits until the worker has given back its cells.
func (f *Fleet) yield(why error, ends ...func()) error {
	for _, end := range ends {
		end()
	}
	<-f.done
	f.show(queue.Paused, why.Error())
	return why
}
