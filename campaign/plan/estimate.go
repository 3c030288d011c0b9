package plan

import "time"

// Measured is the time and cost of a trial that has run.
type Measured struct {
	Agent, Scenario string
	Took            time.Duration
	HasCost         bool    // the client reported its cost
	Cost            float64 // dollars
}

// Estimate is the time and cost that a plan will probably take.
type Estimate struct {
	Agents   []AgentEstimate
	Together time.Duration // with all agents at their limits
	Alone    time.Duration // with one trial at a time
	Cost     float64       // dollars, for the agents whose cost is known
	NoCost   bool          // the cost of some model is not known
}

// AgentEstimate is the estimate for one agent.
type AgentEstimate struct {
	Name     string
	Cells    int
	Parallel int
	Trial    time.Duration // average
	Total    time.Duration // at its limit
	Cost     float64       // dollars; 0 if not known
	From     string        // "measured" or "assumed"
}

// The time of a trial if nothing was measured. For a program it is the time that the
// built-in agent takes for 10 requests on two processors; docs/scale.md has the
// figures. A model takes about 8 s a request, and 30 s to start and end.
const (
	computedTrial = 1200 * time.Millisecond
	modelStart    = 30 * time.Second
	modelRequest  = 8 * time.Second
)

// Guess estimates from the measured trials of each agent, or from assumptions for
// an agent that has none. The plan's scenarios must be known.
func Guess(p *Plan, measured []Measured) Estimate {
	var e Estimate
	each := len(p.Scenarios) * len(p.Assist) * p.Repetitions
	for _, a := range p.Agents {
		guess := AgentEstimate{Name: a.Name, Cells: each, Parallel: a.Parallel, From: "assumed"}
		if guess.Trial = computedTrial; !a.computed() {
			guess.Trial = modelStart + time.Duration(p.Count)*modelRequest
		}
		var took time.Duration
		var n, told int
		var cost float64
		for _, m := range measured {
			if m.Agent != a.Name {
				continue
			}
			took += m.Took
			n++
			if m.HasCost {
				cost += m.Cost
				told++
			}
		}
		if n > 0 {
			guess.Trial, guess.From = took/time.Duration(n), "measured"
		}
		if told > 0 {
			guess.Cost = cost / float64(told) * float64(each)
		} else if !a.computed() {
			e.NoCost = true
		}
		all := guess.Trial * time.Duration(each)
		guess.Total = max(all/time.Duration(a.Parallel), guess.Trial)
		e.Together = max(e.Together, guess.Total)
		e.Alone += all
		e.Cost += guess.Cost
		e.Agents = append(e.Agents, guess)
	}
	return e
}
