// Package record has the results of a campaign's cells, and the folder that stores
// them.
package record

import (
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// States of a Record.
const (
	Done      = "done"      // the trial took place, whatever its score
	Failed    = "failed"    // no trial was possible, for Reason
	Cancelled = "cancelled" // the campaign was cancelled first
)

// Record is the result of one cell, a line of results.jsonl. If the state is Done,
// the counts are copied from the trial's JSON, trials/CELL.json.
type Record struct {
	Cell       string    `json:"cell"`
	Agent      string    `json:"agent"` // its name in the plan
	Model      string    `json:"model,omitempty"`
	Scenario   string    `json:"scenario"`
	Assist     string    `json:"assist"`
	Repetition int       `json:"repetition"`
	Seed       uint64    `json:"seed"`
	State      string    `json:"state"`            // Done, Failed, Cancelled
	Reason     string    `json:"reason,omitempty"` // why it is not Done, or why the scenario was not passed
	Tries      []Try     `json:"tries,omitempty"`  // earlier attempts, which produced no trial
	Waits      int       `json:"waits,omitempty"`  // how often the provider was overloaded
	WaitsUSD   float64   `json:"waits_cost_usd,omitempty"`
	Worker     string    `json:"worker,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Seconds    float64   `json:"seconds"`
	Program    string    `json:"program,omitempty"` // version of tun-mcp

	Passed    bool           `json:"passed"`
	Sent      int            `json:"sent"`
	Right     int            `json:"right"`
	Wrong     int            `json:"wrong"`
	Lost      int            `json:"lost"`
	Late      int            `json:"late"`
	Probes    int            `json:"probes,omitempty"`
	Calls     int            `json:"calls"`
	Faults    map[string]int `json:"faults,omitempty"`
	Reward    *float64       `json:"reward,omitempty"`
	Responses []float64      `json:"responses_ms,omitempty"` // response time of each request that has one, without probes
	Usage     *score.Usage   `json:"usage,omitempty"`        // if the client reports it
}

// Try is an attempt at a cell that produced no trial.
type Try struct {
	At     time.Time `json:"at"`
	Worker string    `json:"worker"`
	Reason string    `json:"reason"`

	CostUSD float64 `json:"cost_usd,omitempty"`
}

// Of returns a record of the cell without a result.
func Of(c plan.Cell) Record {
	return Record{Cell: c.ID, Agent: c.Agent, Scenario: c.Scenario, Assist: c.Assist, Repetition: c.Repetition, Seed: c.Seed}
}

// Fill copies the figures of a trial's report into the record.
func (r *Record) Fill(report *score.Report) {
	r.Program, r.Model, r.Usage = report.Program, report.Agent.Model, report.Usage
	t := report.Total
	r.Sent, r.Right, r.Wrong, r.Lost, r.Late, r.Probes, r.Calls, r.Faults = t.Sent, t.Right, t.Wrong, t.Lost, t.Late, t.Probes, t.Calls, t.Faults
	r.Passed = report.Passed()
	for _, s := range report.Scenarios {
		if r.Reason == "" {
			r.Reason = s.Reason
		}
		for _, x := range s.Exchanges {
			if x.Response > 0 && !x.Probe {
				r.Responses = append(r.Responses, x.Response)
			}
		}
	}
}
