package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cell is one trial to run.
type Cell struct {
	ID         string        `json:"id"` // AGENT_SCENARIO_ASSIST_REPETITION: unique in its plan
	Agent      string        `json:"agent"`
	Scenario   string        `json:"scenario"`
	Assist     string        `json:"assist"`
	Repetition int           `json:"repetition"` // from 1
	Seed       uint64        `json:"seed"`
	Args       []string      `json:"args"`              // for tun-mcp, without --json and --handler
	Handler    string        `json:"handler,omitempty"` // base name of the handler's file; "" for other agents
	Longest    time.Duration `json:"longest"`           // nanoseconds: limits.trial
	Wait       time.Duration `json:"wait"`              // nanoseconds: limits.wait
}

// Size returns how many cells the plan has with this many scenarios.
func (p *Plan) Size(scenarios int) int {
	return len(p.Agents) * scenarios * len(p.Assist) * p.Repetitions
}

// Cells lists the cells of a plan whose scenarios are known. Repetitions are the
// outermost loop, so a campaign that stops early has tried everything about
// equally often.
func (p *Plan) Cells() []Cell {
	cells := make([]Cell, 0, p.Size(len(p.Scenarios)))
	for repetition := 1; repetition <= p.Repetitions; repetition++ {
		for _, scenario := range p.Scenarios {
			for _, assist := range p.Assist {
				for _, a := range p.Agents {
					cells = append(cells, p.cell(a, scenario, assist, repetition))
				}
			}
		}
	}
	return cells
}

func (p *Plan) cell(a Agent, scenario, assist string, repetition int) Cell {
	c := Cell{
		ID:    fmt.Sprintf("%s_%s_%s_%d", a.Name, scenario, assist, repetition),
		Agent: a.Name, Scenario: scenario, Assist: assist, Repetition: repetition,
		Seed: p.Seed + uint64(repetition) - 1, Longest: time.Duration(p.Limits.Trial), Wait: time.Duration(p.Limits.Wait),
	}
	c.Args = []string{"trial", scenario, "--agent", a.Agent, "--assist", assist, "--seed", strconv.FormatUint(c.Seed, 10), "--count", strconv.Itoa(p.Count)}
	if a.Handler != "" {
		c.Handler = filepath.Base(a.Handler)
	}
	for _, flag := range []struct{ name, value string }{{"--model", a.Model}, {"--mistake", a.Mistake}, {"--network", p.Network}} {
		if flag.value != "" {
			c.Args = append(c.Args, flag.name, flag.value)
		}
	}
	for _, flag := range []struct {
		name  string
		value Duration
	}{{"--deadline", a.Deadline}, {"--interval", a.Interval}} {
		if flag.value != 0 {
			c.Args = append(c.Args, flag.name, flag.value.String())
		}
	}
	return c
}

// Choose checks the plan's scenarios against known, those of tun-mcp trial. A plan
// that names none gets all of known. A plan with more than MaxCells cells is an
// error.
func (p *Plan) Choose(known []string) error {
	if len(p.Scenarios) == 0 {
		p.Scenarios = known
	}
	for _, name := range p.Scenarios {
		if !slices.Contains(known, name) {
			return fmt.Errorf("scenarios: there is no %q; tun-mcp trial has %s", name, strings.Join(known, ", "))
		}
	}
	if cells := p.Size(len(p.Scenarios)); cells > MaxCells {
		return fmt.Errorf("the plan has %d cells; accepted are up to %d", cells, MaxCells)
	}
	return nil
}
