package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// farewell is how long settle waits for idle workers to learn that the campaign has
// ended.
const farewell = 3 * time.Second

// settle waits until no trial is running and all verdicts are written down. If the
// campaign was cancelled, it records the remaining cells as cancelled.
func (f *Fleet) settle(ctx, now context.Context, phase, why string) error {
	look, tell := time.NewTicker(lookEvery), time.NewTicker(tellEvery)
	defer look.Stop()
	defer tell.Stop()
	began, local, hurry := time.Now(), f.done, now.Done()
	if known := f.began.Add(farewell); f.Joinable && began.Before(known) {
		began = known // workers of an earlier start may not have been heard yet
	}
	for ended := false; ; {
		others, busy := 0, 0
		f.mu.Lock()
		for _, w := range f.workers() {
			if !f.isOurs(w.Worker) {
				others++
				busy += len(w.Running)
			}
		}
		f.mu.Unlock()
		waited := time.Since(began)
		leaving := phase != queue.Paused && (waited < 0 || others > 0 && waited < farewell)
		if ended && (busy == 0 || now.Err() != nil) && !leaving {
			break
		}
		select {
		case <-local:
			ended, local = true, nil
		case <-look.C:
		case <-tell.C:
			f.show(phase, why)
		case <-hurry:
			hurry = nil
		}
		if err := f.broken(); err != nil {
			return err
		}
	}
	if err := f.collected(ctx, now); err != nil {
		return err
	}
	if phase == queue.Cancelled {
		if err := f.writeCancelled(); err != nil {
			return err
		}
	}
	f.show(phase, why)
	return nil
}

// collected waits until all verdicts on the server are written down.
func (f *Fleet) collected(ctx, now context.Context) error {
	look := time.NewTicker(lookEvery / 4)
	defer look.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, quietTime)
		left, err := f.Campaign.Uncollected(asking)
		cancel()
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-look.C:
		case <-now.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return nil // they are still on the server and are delivered again
		}
		f.mu.Lock()
		trouble := f.trouble
		f.mu.Unlock()
		if trouble != "" {
			return fmt.Errorf("%s; free some space or fix the cause, then start again (the verdicts are kept)", trouble)
		}
	}
}

func (f *Fleet) writeCancelled() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cells {
		if !f.book.Has(c.ID) {
			f.agents[c.Agent].Ended++
		}
	}
	return f.book.End(f.cells, record.Cancelled, ErrCancelled.Error())
}
