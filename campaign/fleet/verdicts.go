package fleet

import (
	"fmt"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// take writes a verdict down: first the trial's JSON, then the record.
func (f *Fleet) take(v queue.Verdict) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.write(v)
	if f.trouble = ""; err != nil {
		f.trouble = err.Error()
		return err
	}
	select {
	case f.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (f *Fleet) write(v queue.Verdict) error {
	r := v.Record
	if _, ours := f.agentOf[r.Cell]; !ours || f.book.Has(r.Cell) {
		return nil
	}
	if len(v.Report) > 0 {
		if err := f.Folder.SaveTrial(r.Cell, v.Report); err != nil {
			return fmt.Errorf("writing a trial's report: %w", err)
		}
	}
	if err := f.book.Add(r); err != nil {
		return err
	}
	f.agents.count(r)
	return f.giveUp(r)
}

// giveUp gives up the agent of the last record if it is hopeless. It would otherwise
// keep the fleet busy for hours.
func (f *Fleet) giveUp(last record.Record) error {
	if !f.agents.hopeless(last) {
		return nil
	}
	return f.skip(last.Agent, fmt.Sprintf("the first %d cells of this agent could not run: %s", f.agents[last.Agent].Ended, last.Reason))
}

// giveUpAbsent gives up the agents whose client no worker has. If workers of other
// machines can join, it leaves them a lease to do so, after the start and after the
// last worker with the client has gone.
func (f *Fleet) giveUpAbsent() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.agents {
		why, since := f.crew.lacks(name)
		if why == "" || f.Joinable && since < f.Lease {
			continue
		}
		if err := f.skip(name, "its client is not installed on any worker: "+why); err != nil {
			f.trouble = err.Error()
		}
	}
}

// skip records an agent's remaining cells as failed.
func (f *Fleet) skip(agent, why string) error {
	var cells []plan.Cell
	for _, c := range f.cells {
		if c.Agent == agent && !f.book.Has(c.ID) {
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return nil
	}
	f.Log("%d cells of %s are not tried, because %s", len(cells), agent, why)
	if err := f.book.End(cells, record.Failed, "not tried, because "+why); err != nil {
		return err
	}
	f.agents[agent].Ended += len(cells)
	f.agents[agent].Failed += len(cells)
	f.hopeless = append(f.hopeless, agent)
	return nil
}

// remaining returns how many cells have not ended.
func (f *Fleet) remaining() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.cells) - f.book.Sum().Ended()
}
