package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
)

// errBroken says that the embedded server can no longer store messages.
var errBroken = errors.New("the embedded server can no longer write, most likely because the disk is full; free some space and start again (no reported verdict is lost)")

// untilEnd waits for a reason to end and returns it, or nil when all cells have
// ended.
func (f *Fleet) untilEnd(ctx, stop, now context.Context) error {
	look, tell := time.NewTicker(lookEvery), time.NewTicker(tellEvery)
	defer look.Stop()
	defer tell.Stop()
	for {
		switch {
		case f.remaining() == 0:
			return nil
		case f.Folder.Cancelled():
			return ErrCancelled
		case stop.Err() != nil || now.Err() != nil:
			return errStopped
		}
		if err := f.broken(); err != nil {
			return err
		}
		f.mu.Lock()
		cost := f.book.Sum().CostUSD
		f.mu.Unlock()
		if err := overLimit(f.Plan.Limits, f.worked(), cost); err != nil {
			return err
		}
		f.giveUpAbsent()
		if err := f.dropHopeless(ctx); err != nil {
			f.Log("%v", err)
		}
		select {
		case <-f.arrived:
		case <-look.C:
		case <-tell.C:
			f.show(queue.Running, "")
		case <-stop.Done():
		case <-now.Done():
		}
	}
}

// broken returns errBroken, or record.ErrLocked if another start has taken the
// campaign over.
func (f *Fleet) broken() error {
	if f.Works != nil && !f.Works() {
		return errBroken
	}
	return f.Campaign.Held()
}

// dropHopeless removes the cells of agents that cannot run from the queue.
func (f *Fleet) dropHopeless(ctx context.Context) error {
	f.mu.Lock()
	agents := f.hopeless
	f.hopeless = nil
	f.mu.Unlock()
	for _, agent := range agents {
		asking, cancel := context.WithTimeout(ctx, quietTime)
		err := f.Campaign.Drop(asking, agent)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// tellAll sets the state for all workers. It waits up to quietTime for the server.
func (f *Fleet) tellAll(ctx context.Context, phase, why string) error {
	names := make([]string, 0, len(f.Plan.Agents))
	for _, a := range f.Plan.Agents {
		names = append(names, a.Name)
	}
	asking, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	limits := f.Plan.Limits
	return f.Campaign.SetState(asking, queue.State{Phase: phase, Why: why, Lease: f.Lease, Agents: names,
		Longest: time.Duration(limits.Trial), Wait: time.Duration(limits.Wait)})
}
