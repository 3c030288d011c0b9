package fleet

import (
	"context"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// open reads the folder, opens the book, and makes queue and folder agree.
func (f *Fleet) open(ctx context.Context) error {
	f.cells, f.agentOf, f.began = f.Plan.Cells(), make(map[string]string), time.Now()
	f.arrived, f.done = make(chan struct{}, 1), make(chan struct{})
	f.crew, f.agents = newCrew(f.Lease), make(standings)
	if last, err := f.Folder.Status(); err == nil {
		f.before = time.Duration(last.Seconds * float64(time.Second))
	}
	var err error
	asking, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	if err := f.Campaign.Own(asking, f.Plan.Hash()); err != nil {
		return err
	}
	if f.Again {
		if err := f.again(ctx); err != nil {
			return err
		}
	}
	if f.book, err = f.Folder.OpenBook(); err != nil {
		return err
	}
	if err := f.fill(ctx); err != nil {
		f.book.Close()
		return err
	}
	return nil
}

// again forgets the results of the cells that could not run.
func (f *Fleet) again(ctx context.Context) error {
	records, err := f.Folder.Records()
	if err != nil {
		return err
	}
	var failed []string
	for _, r := range records {
		if r.State == record.Failed {
			failed = append(failed, r.Cell)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	if err := f.Campaign.Forget(ctx, failed); err != nil {
		return err
	}
	f.Log("running %d cells again that could not run", len(failed))
	return f.Folder.DropFailed()
}

// fill sets the agents' limits, writes down the verdicts that are on the server, and
// puts the cells that have not ended into the queue, unless the campaign is cancelled.
func (f *Fleet) fill(ctx context.Context) error {
	for _, a := range f.Plan.Agents {
		f.agents[a.Name] = &record.AgentStatus{Name: a.Name, Limit: a.Parallel}
		asking, cancel := context.WithTimeout(ctx, quietTime)
		err := f.Campaign.Limit(asking, a.Name, a.Parallel, f.Lease)
		if err == nil && a.Source != "" {
			err = f.Campaign.KeepHandler(asking, a.Name, a.Source)
		}
		cancel()
		if err != nil {
			return err
		}
	}
	records, err := f.Folder.Records()
	if err != nil {
		return err
	}
	for _, c := range f.cells {
		f.agentOf[c.ID] = c.Agent
		f.agents[c.Agent].Cells++
	}
	for _, r := range records {
		f.agents.count(r)
	}
	if err := f.Campaign.Rewind(ctx, f.book.Has); err != nil {
		return err
	}
	if err := f.Campaign.Collect(ctx, f.take); err != nil {
		return err
	}
	if err := f.Campaign.Hear(ctx, f.hear); err != nil {
		return err
	}
	if err := f.collected(ctx, ctx); err != nil {
		return err
	}
	if f.Folder.Cancelled() { // by a start or a cancel that did not live to its end
		return nil
	}
	f.mu.Lock()
	has := make(map[string]bool, len(f.cells))
	for _, c := range f.cells {
		has[c.ID] = f.book.Has(c.ID)
	}
	f.mu.Unlock()
	if _, err := f.Campaign.Fill(ctx, f.cells, func(cell string) bool { return has[cell] }); err != nil {
		return err
	}
	return f.tellAll(ctx, queue.Running, "")
}
