package fleet

import (
	"runtime"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// show saves the campaign's status and passes it to Shown.
func (f *Fleet) show(phase, why string) {
	s := f.status(phase, why)
	if err := f.Folder.SaveStatus(s); err != nil && s.Trouble == "" {
		s.Trouble = err.Error()
	}
	if f.Shown != nil {
		f.Shown(s)
	}
}

func (f *Fleet) status(phase, why string) record.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := record.Status{
		Name: f.Plan.Name, Phase: phase, Why: why, Elsewhere: f.Elsewhere, Trouble: f.trouble, Written: time.Now().UTC(), Cells: len(f.cells), Sum: f.book.Sum(),
		Seconds: f.worked().Seconds(), Workers: []record.WorkerStatus{},
	}
	running := make(map[string]int)
	for _, w := range f.workers() {
		under := slices.DeleteFunc(slices.Clone(w.Running), f.book.Has) // the heartbeat may be a second old
		s.Workers = append(s.Workers, record.WorkerStatus{Name: w.Worker, Running: under})
		for _, cell := range under {
			running[f.agentOf[cell]]++
			s.Running++
		}
		if s.Trouble == "" && w.Trouble != "" {
			s.Trouble = w.Worker + ": " + w.Trouble
		}
	}
	for _, a := range f.Plan.Agents {
		agent := *f.agents[a.Name]
		agent.Running = running[a.Name]
		s.Agents = append(s.Agents, agent)
	}
	f.pace.note(time.Now(), s.Ended())
	s.Rate = f.pace.perMinute()
	if left := s.Cells - s.Ended(); s.Rate > 0 && left > 0 {
		s.Left = float64(left) / s.Rate * 60
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s.Bytes = memory.Sys - memory.HeapReleased
	return s
}

// hear notes a worker's heartbeat.
func (f *Fleet) hear(a queue.Alive) {
	f.mu.Lock()
	defer f.mu.Unlock()
	joined, left := f.crew.hear(a)
	switch {
	case f.isOurs(a.Worker):
	case joined:
		f.Log("%s has joined", a.Worker)
	case left:
		f.Log("%s has left", a.Worker)
	}
}

// workers returns the workers heard from within a lease. f.mu must be held.
func (f *Fleet) workers() []queue.Alive {
	workers, lost := f.crew.present()
	for _, name := range lost {
		f.Log("lost contact with %s", name)
	}
	return workers
}

// isOurs reports whether a worker belongs to this process.
func (f *Fleet) isOurs(worker string) bool { return f.Worker != nil && f.Worker.Name == worker }
