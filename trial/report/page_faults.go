package report

import (
	"fmt"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// pageFault counts a kind of fault in all scenarios.
type pageFault struct {
	Kind, Meaning, Where string
	N                    int
	W                    position
}

func newFaults(r *score.Report) []pageFault {
	total := score.Tally{}
	for _, s := range r.Scenarios {
		total.Add(score.Tally{Faults: s.Tally.Faults})
	}
	var list []pageFault
	sorted := sortedFaults(total.Faults)
	for _, f := range sorted {
		where := ""
		for _, s := range r.Scenarios {
			if n := s.Tally.Faults[f.Kind]; n != 0 {
				if where != "" {
					where += ", "
				}
				where += fmt.Sprintf("%s %s", s.Scenario, ladder.Count(n))
			}
		}
		list = append(list, pageFault{f.Kind, faultMeanings[f.Kind], where, f.N, axis{high: float64(sorted[0].N)}.at(float64(f.N))})
	}
	return list
}
