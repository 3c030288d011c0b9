// Package worker runs cells of a campaign on one machine, each in a child process.
package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// Worker runs cells. Its exported fields must be set before Run.
type Worker struct {
	Name    string                           // unique in the fleet
	Program string                           // the path of tun-mcp
	Folder  string                           // for the trials' files; its contents may be removed
	AtOnce  int                              // most trials at once
	Log     func(format string, args ...any) // called with messages for the user

	campaign *queue.Campaign
	changed  chan struct{} // receives after any change of the fields below

	mu      sync.Mutex
	state   queue.State
	running map[string]context.CancelCauseFunc // by cell: ends its trial
	trouble string                             // what prevents work at the moment, or ""
	logged  map[string]bool                    // reasons already logged, by agent
	lacks   map[string]string                  // see queue.Alive
}

// Reasons for ending a trial early.
var (
	errCancelled = errors.New("the campaign was cancelled")
	errStopped   = errors.New("this worker was told to stop at once")
	errLease     = errors.New("the server did not answer for nearly a lease, so another worker may have the cell by now")
)

// Times of a worker.
const (
	tellEvery   = time.Second
	minIdle     = 50 * time.Millisecond // between two looks at empty queues
	maxIdle     = 2 * time.Second
	requestTime = 5 * time.Second // for one request to the server
)

// Run takes cells and runs them. It returns nil when the campaign has ended, or when
// stop is cancelled and the running trials have ended. When now is cancelled, Run
// ends them at once and gives their cells back.
func (w *Worker) Run(stop, now context.Context, campaign *queue.Campaign) error {
	w.campaign, w.changed, w.running = campaign, make(chan struct{}, 1), make(map[string]context.CancelCauseFunc)
	w.logged, w.lacks = make(map[string]bool), make(map[string]string)
	life, end := context.WithCancel(context.WithoutCancel(now))
	defer end()
	if err := campaign.WatchState(life, w.setState); err != nil {
		return err
	}
	context.AfterFunc(stop, w.wake)
	context.AfterFunc(now, func() { w.endAll(errStopped) })
	go w.tell(life)
	defer func() {
		campaign.Tell(queue.Alive{Worker: w.Name, Left: true})
		ctx, cancel := context.WithTimeout(life, requestTime)
		defer cancel()
		campaign.Flush(ctx)
	}()

	var trials sync.WaitGroup
	defer trials.Wait()
	idle, next := minIdle, 0
	for {
		state, running := w.look()
		over := state.Phase == queue.Cancelled || state.Phase == queue.Finished
		switch {
		case (over || stop.Err() != nil) && running == 0:
			return nil
		case !over && stop.Err() == nil && state.Phase == queue.Running && running < w.AtOnce && w.hasRoom():
			if task := w.takeAny(life, state.Agents, &next); task != nil {
				w.begin(life, now, task, &trials)
				idle = minIdle
				continue
			}
		}
		timer := time.NewTimer(idle)
		select {
		case <-w.changed:
			idle = minIdle
		case <-timer.C:
			idle = min(2*idle, maxIdle)
		}
		timer.Stop()
	}
}

// wake makes Run look again.
func (w *Worker) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *Worker) setState(s queue.State) {
	w.mu.Lock()
	w.state = s
	if s.Phase == queue.Running { // a new start: the clients may be installed by now
		clear(w.lacks)
	}
	w.mu.Unlock()
	if s.Phase == queue.Cancelled {
		w.endAll(errCancelled)
	}
	w.wake()
}

// look returns the campaign's state and how many trials are running here.
func (w *Worker) look() (queue.State, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state, len(w.running)
}

func (w *Worker) endAll(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cancel := range w.running {
		cancel(cause)
	}
	w.wake()
}

// tell sends the start a heartbeat every second, with the running cells.
func (w *Worker) tell(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		w.mu.Lock()
		alive := queue.Alive{Worker: w.Name, Trouble: w.trouble, Running: make([]string, 0, len(w.running)), Lacks: maps.Clone(w.lacks)}
		for cell := range w.running {
			alive.Running = append(alive.Running, cell)
		}
		w.mu.Unlock()
		slices.Sort(alive.Running)
		w.campaign.Tell(alive)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// hasRoom reports whether the disk has room for another trial. If not, it notes so.
func (w *Worker) hasRoom() bool {
	free, known := record.Free(w.Folder)
	if !known || free >= record.MinFree {
		w.note("")
		return true
	}
	w.note(fmt.Sprintf("the disk of %s has only %d MiB left, so no trial starts; free at least %d MiB", w.Folder, free>>20, record.MinFree>>20))
	return false
}

// note stores what prevents work, or "" if nothing does, and logs it when it
// changes.
func (w *Worker) note(trouble string) {
	w.mu.Lock()
	changed := w.trouble != trouble
	w.trouble = trouble
	w.mu.Unlock()
	if changed && trouble != "" {
		w.Log("%s", trouble)
	}
}

// logOnce logs why cells of an agent do not run. It logs each reason once, because
// there may be thousands of cells.
func (w *Worker) logOnce(agent, reason, format string, args ...any) {
	w.mu.Lock()
	known := w.logged[agent+" "+reason]
	w.logged[agent+" "+reason] = true
	w.mu.Unlock()
	if !known {
		w.Log(format+" (the same for other cells of %s is not logged)", append(args, agent)...)
	}
}

// lack notes that an agent's client is not installed here. From then on this worker
// leaves the agent's cells to others. The start gives the agent up if no worker has
// its client.
func (w *Worker) lack(agent, said string) {
	w.mu.Lock()
	w.lacks[agent] = said
	w.mu.Unlock()
	w.logOnce(agent, said, "%s cannot start here: %s", agent, said)
}

// takeAny takes a cell of the next agent that has one, or returns nil. The agents
// take turns; next counts them.
func (w *Worker) takeAny(ctx context.Context, agents []string, next *int) *queue.Task {
	for range agents {
		agent := agents[*next%len(agents)]
		*next++
		w.mu.Lock()
		_, lacks := w.lacks[agent]
		w.mu.Unlock()
		if lacks {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, requestTime)
		task, err := w.campaign.Take(asking, agent)
		cancel()
		if err != nil {
			w.note(err.Error())
			return nil
		}
		if task != nil {
			return task
		}
	}
	return nil
}

// begin starts a task in its own goroutine.
func (w *Worker) begin(life, now context.Context, task *queue.Task, trials *sync.WaitGroup) {
	ctx, cancel := context.WithCancelCause(life)
	w.mu.Lock()
	_, twice := w.running[task.ID]
	if !twice {
		w.running[task.ID] = cancel
	}
	cancelled := w.state.Phase == queue.Cancelled
	task.Longest, task.Wait = w.state.Longest, w.state.Wait
	w.mu.Unlock()
	switch {
	case twice: // its lease expired, and its trial here has not stopped yet
		cancel(nil)
		_ = task.GiveBack(time.Second)
		return
	case cancelled:
		cancel(errCancelled)
	case now.Err() != nil:
		cancel(errStopped)
	}
	trials.Go(func() {
		w.run(ctx, cancel, task)
		cancel(nil)
		w.mu.Lock()
		delete(w.running, task.ID)
		w.mu.Unlock()
		w.wake()
	})
}
