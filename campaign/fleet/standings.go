package fleet

import (
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// standings has the progress of each agent's cells, by the agent's name.
type standings map[string]*record.AgentStatus

// count counts a record. Records of agents that are not in the plan are ignored.
func (s standings) count(r record.Record) {
	a := s[r.Agent]
	if a == nil {
		return
	}
	a.Ended++
	if r.State != record.Failed {
		return
	}
	a.Failed++
	if a.Reason != r.Reason {
		a.Reason, a.Alike = r.Reason, 0
	}
	a.Alike++
}

// hopeless is the number of an agent's first cells that must fail for the same
// reason before its other cells are given up.
const hopeless = 5

// hopeless reports whether the agent of the record counted last cannot run at all.
func (s standings) hopeless(last record.Record) bool {
	a := s[last.Agent]
	return last.State == record.Failed && last.Reason == a.Reason && a.Alike >= hopeless && a.Failed == a.Ended
}
