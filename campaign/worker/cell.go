package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// How often a cell is tried again.
const (
	maxRetries = 3  // if there was no trial
	maxWaits   = 15 // if the provider had too many requests
)

// run runs a cell and hands in its verdict, or gives the cell back.
func (w *Worker) run(ctx context.Context, end context.CancelCauseFunc, task *queue.Task) {
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBeating()
	go w.heartbeats(beating, end, task)

	var tries queue.Tries
	var judged bool
	var source []byte
	err := w.ask(ctx, func(ctx context.Context) (err error) {
		if judged, err = task.Judged(ctx); err == nil {
			tries, err = task.Tries(ctx)
		}
		if err == nil && task.Handler != "" {
			source, err = task.HandlerSource(ctx)
		}
		return err
	})
	if err != nil {
		putBack(ctx, task, time.Second)
		return
	}
	if judged {
		w.handIn(ctx, task, nil)
		return
	}
	if lost := tries.Under; lost != nil {
		tries.Failed = append(tries.Failed, record.Try{At: lost.At, Worker: lost.Worker, Reason: "its worker died, or was silent for longer than the lease"})
	}
	if len(tries.Failed) > maxRetries {
		r := record.Of(task.Cell)
		r.State, r.Reason, r.Tries, r.Waits, r.WaitsUSD, r.Worker = record.Failed, tries.Failed[len(tries.Failed)-1].Reason, tries.Failed[:maxRetries], tries.Waits, tries.Spent, w.Name
		w.handIn(ctx, task, &queue.Verdict{Record: r})
		return
	}
	tries.Under = &queue.UnderWay{Worker: w.Name, At: time.Now().UTC()}
	if err := w.ask(ctx, func(ctx context.Context) error { return task.Note(ctx, tries) }); err != nil {
		putBack(ctx, task, time.Second)
		return
	}
	tries.Under = nil

	found := w.play(ctx, task.Cell, source)
	found.record.Tries, found.record.Waits, found.record.WaitsUSD = tries.Failed, tries.Waits, tries.Spent
	switch {
	case found.record.State != "":
		w.handIn(ctx, task, &queue.Verdict{Record: found.record, Report: found.report})
	case found.stopped:
		w.giveBack(ctx, task, tries, time.Millisecond)
	case found.absent:
		w.lack(task.Agent, found.retry)
		w.giveBack(ctx, task, tries, time.Millisecond)
	case found.busy && tries.Waits < maxWaits:
		tries.Waits++
		tries.Spent += found.cost()
		wait := busyWait(task.Wait, tries.Waits)
		w.logOnce(task.Agent, "busy", "%s waits for %v, because the provider has too many requests", task.ID, wait)
		w.giveBack(ctx, task, tries, wait)
	case len(tries.Failed) >= maxRetries:
		r := record.Of(task.Cell) // without the report's figures, because there was no trial
		r.State, r.Reason, r.Tries, r.Waits, r.WaitsUSD, r.Worker = record.Failed, found.retry, tries.Failed, tries.Waits, tries.Spent, w.Name
		r.Started, r.Seconds, r.Usage = found.record.Started, found.record.Seconds, found.record.Usage
		w.handIn(ctx, task, &queue.Verdict{Record: r})
	default:
		tries.Failed = append(tries.Failed, record.Try{At: time.Now().UTC(), Worker: w.Name, Reason: found.retry, CostUSD: found.cost()})
		wait := retryWait(task.Wait, len(tries.Failed))
		w.logOnce(task.Agent, found.retry, "%s will be tried again in %v: %s", task.ID, wait, found.retry)
		w.giveBack(ctx, task, tries, wait)
	}
}

// retryWait returns the wait before the n-th retry: first, then three times as long,
// then nine times.
func retryWait(first time.Duration, n int) time.Duration {
	wait := first
	for range n - 1 {
		wait *= 3
	}
	return wait
}

// busyWait returns the wait after the provider had too many requests for the n-th
// time: first, then twice as long each time, up to 30 times first.
func busyWait(first time.Duration, n int) time.Duration {
	return first * time.Duration(min(1<<min(n-1, 10), 30))
}

// heartbeats keeps the cell until ctx ends. If no heartbeat is confirmed for nearly
// a lease, it ends the trial, because the server soon gives the cell to another
// worker.
func (w *Worker) heartbeats(ctx context.Context, end context.CancelCauseFunc, task *queue.Task) {
	state, _ := w.look()
	lease := state.Lease
	every := min(lease/6, 5*time.Second)
	confirmed := time.Now() // monotonic, because the wall clock may jump
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		sent := time.Now()
		asking, cancel := context.WithTimeout(ctx, every)
		err := task.Heartbeat(asking)
		cancel()
		switch {
		case err == nil:
			confirmed = sent
		case ctx.Err() == nil && time.Since(confirmed) > lease*8/10:
			end(errLease)
		}
	}
}

// ask repeats a question until the server answers or ctx ends.
func (w *Worker) ask(ctx context.Context, question func(context.Context) error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		asking, cancel := context.WithTimeout(ctx, requestTime)
		err := question(asking)
		cancel()
		if err == nil || errors.Is(err, queue.ErrTooLarge) {
			return err
		}
		w.note(err.Error())
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// handIn hands in the verdict, if v is not nil, and removes the cell from the queue.
// It waits for a server that cannot be reached, so that the trial is not lost, and
// gives up soon after the worker is told to stop at once or the campaign is
// cancelled.
func (w *Worker) handIn(ctx context.Context, task *queue.Task, v *queue.Verdict) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() { // an expired lease is no reason to give up
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, errStopped) || errors.Is(cause, errCancelled) {
				timer := time.AfterFunc(requestTime, cancel)
				defer timer.Stop()
				<-patient.Done()
			}
		case <-patient.Done():
		}
	}()
	if v != nil {
		err := w.ask(patient, func(ctx context.Context) error { return w.campaign.Publish(ctx, *v) })
		if errors.Is(err, queue.ErrTooLarge) {
			v.Report, v.Record.State, v.Record.Reason, v.Record.Responses = nil, record.Failed, err.Error(), nil
			err = w.ask(patient, func(ctx context.Context) error { return w.campaign.Publish(ctx, *v) })
		}
		if err != nil {
			w.Log("the verdict of %s is lost, so the cell will run again: %v", task.ID, err)
			return
		}
	}
	// If this fails, the cell comes again and Judged reports its verdict.
	if err := w.ask(patient, task.Ended); err == nil {
		w.note("")
	}
}

// giveBack notes the cell's tries and returns it to the queue, unless its lease has
// expired.
func (w *Worker) giveBack(ctx context.Context, task *queue.Task, tries queue.Tries, after time.Duration) {
	if expired(ctx) {
		return
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := task.Note(noting, tries); err != nil {
		w.note(fmt.Sprintf("giving back the cell %s: %v", task.ID, err)) // it returns to the queue when its lease expires
		return
	}
	putBack(ctx, task, after)
}

// putBack returns the cell to the queue, unless its lease has expired.
func putBack(ctx context.Context, task *queue.Task, after time.Duration) {
	if !expired(ctx) {
		_ = task.GiveBack(after)
	}
}

// expired reports whether the cell's lease has expired. Another worker may have the
// cell then, and if this one gave it back, the server would give it to a third.
func expired(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errLease) }
