// Package report summarizes a campaign's records as a table and as a web page.
package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Summary is what a report shows.
type Summary struct {
	Name        string
	Cells       int // in the plan
	Counts      record.Sum
	Why         string // why not all cells have ended
	Entrants    []Entrant
	Scenarios   []string
	Differences []Difference // first on the leaderboard with each other, then neighbours
	Failures    []Failure
	Programs    []string // versions of tun-mcp
	HasUsage    bool     // some client reported tokens and cost
}

// Entrant is an agent at one assist level.
type Entrant struct {
	Agent, Assist string
	Label         string // the agent, with the level if the plan has several
	Model         string
	Cells         int // in the plan
	Done, Failed  int
	Passed        score.Rate // share of the trials done
	PassedN       int
	Tally         score.Tally // its Rate orders the leaderboard
	Response      score.Distribution
	Usage         score.Usage
	UsageRequests int // requests of the trials whose client reported its usage
	UsageRight    int // right answers of those
	Retried       int
	Waits         int
	Squares       []Square // one per scenario, in the plan's order

	trials map[string][]outcome // by scenario
	cells  map[string]outcome   // by scenario and repetition
}

// Square is an entrant's trials of one scenario.
type Square struct {
	Scenario string
	Rate     score.Rate
	Right    int
	Sent     int
	Passed   int
	Done     int
	Failed   int
	Response score.Distribution
	Records  []record.Record // by repetition
}

// Failure is a reason why cells of an agent could not run, with those cells.
type Failure struct {
	Agent, Reason string
	Cells         []string
}

// Sum summarizes the records. Records of cells that are not in the plan are
// ignored.
func Sum(p *plan.Plan, records []record.Record) *Summary {
	s := &Summary{Name: p.Name, Scenarios: p.Scenarios}
	byCell := make(map[string]record.Record, len(records))
	for _, r := range records {
		byCell[r.Cell] = r
	}
	at := make(map[string]*building)
	var order []*building
	for _, c := range p.Cells() {
		s.Cells++
		key := c.Agent + " " + c.Assist
		b := at[key]
		if b == nil {
			b = newBuilding(c, p)
			at[key] = b
			order = append(order, b)
		}
		b.Cells++
		if r, ok := byCell[c.ID]; ok {
			b.add(r, slices.Index(p.Scenarios, c.Scenario))
			s.count(r)
		}
	}
	for _, b := range order {
		s.Entrants = append(s.Entrants, b.finish())
	}
	slices.SortStableFunc(s.Entrants, func(a, b Entrant) int {
		return cmp.Or(-cmp.Compare(min(a.Done, 1), min(b.Done, 1)), -cmp.Compare(a.Tally.Rate.Value, b.Tally.Rate.Value), cmp.Compare(a.Response.Median, b.Response.Median))
	})
	s.compare()
	slices.Sort(s.Programs)
	slices.SortStableFunc(s.Failures, func(a, b Failure) int { return -cmp.Compare(len(a.Cells), len(b.Cells)) })
	return s
}

// count adds a record to the figures of the whole campaign.
func (s *Summary) count(r record.Record) {
	switch r.State {
	case record.Done:
		s.Counts.Done++
	case record.Failed:
		s.Counts.Failed++
	default:
		s.Counts.Cancelled++
	}
	s.Counts.Retried += len(r.Tries)
	s.Counts.Waits += r.Waits
	s.Counts.CostUSD += r.WaitsUSD
	for _, t := range r.Tries {
		s.Counts.CostUSD += t.CostUSD
	}
	if r.Usage != nil {
		s.HasUsage = true
		s.Counts.CostUSD += r.Usage.CostUSD
		s.Counts.Tokens += r.Usage.InputTokens + r.Usage.OutputTokens
	}
	if r.Program != "" && !slices.Contains(s.Programs, r.Program) {
		s.Programs = append(s.Programs, r.Program)
	}
	if r.State == record.Failed {
		i := slices.IndexFunc(s.Failures, func(f Failure) bool { return f.Agent == r.Agent && f.Reason == r.Reason })
		if i < 0 {
			s.Failures = append(s.Failures, Failure{Agent: r.Agent, Reason: r.Reason})
			i = len(s.Failures) - 1
		}
		s.Failures[i].Cells = append(s.Failures[i].Cells, r.Cell)
	}
}

// compare compares the first entrant with each other one, then the remaining
// neighbours. Entrants that have not played are left out.
func (s *Summary) compare() {
	played := slices.DeleteFunc(slices.Clone(s.Entrants), func(e Entrant) bool { return e.Done == 0 })
	for i := 1; i < len(played); i++ {
		s.Differences = append(s.Differences, Compare(played[0], played[i]))
	}
	for i := 2; i < len(played); i++ {
		s.Differences = append(s.Differences, Compare(played[i-1], played[i]))
	}
}

// Compare compares two entrants over the cells that both have played.
func Compare(a, b Entrant) Difference {
	ofA, ofB := make(map[string][]outcome), make(map[string][]outcome)
	for _, square := range a.Squares {
		for _, r := range square.Records {
			key := cellKey(r)
			if other, ok := b.cells[key]; ok && r.State == record.Done {
				ofA[r.Scenario] = append(ofA[r.Scenario], a.cells[key])
				ofB[r.Scenario] = append(ofB[r.Scenario], other)
			}
		}
	}
	return difference(a.Label, b.Label, ofA, ofB)
}

// cellKey identifies a cell within an entrant, so that entrants can be compared.
func cellKey(r record.Record) string { return fmt.Sprintf("%s %d", r.Scenario, r.Repetition) }

// building is an entrant whose records are being added.
type building struct {
	Entrant
	passed    int
	responses []float64
	squares   [][]float64 // response times by scenario
}

func newBuilding(c plan.Cell, p *plan.Plan) *building {
	b := &building{Entrant: Entrant{Agent: c.Agent, Assist: c.Assist, Label: c.Agent, trials: make(map[string][]outcome), cells: make(map[string]outcome)}}
	if len(p.Assist) > 1 {
		b.Label += ", " + c.Assist
	}
	b.Tally.Faults = make(map[string]int)
	b.squares = make([][]float64, len(p.Scenarios))
	for _, scenario := range p.Scenarios {
		b.Squares = append(b.Squares, Square{Scenario: scenario})
	}
	return b
}

func (b *building) add(r record.Record, scenario int) {
	square := &b.Squares[scenario]
	square.Records = append(square.Records, r)
	b.Retried += len(r.Tries)
	b.Waits += r.Waits
	if r.State != record.Done {
		if r.State == record.Failed {
			b.Failed++
			square.Failed++
		}
		return
	}
	b.Done++
	square.Done++
	if r.Passed {
		b.passed++
		square.Passed++
	}
	b.Model = cmp.Or(b.Model, r.Model)
	b.Tally.Add(score.Tally{Sent: r.Sent, Right: r.Right, Wrong: r.Wrong, Lost: r.Lost, Late: r.Late, Probes: r.Probes, Calls: r.Calls, Faults: r.Faults})
	square.Sent, square.Right = square.Sent+r.Sent, square.Right+r.Right
	b.responses = append(b.responses, r.Responses...)
	b.squares[scenario] = append(b.squares[scenario], r.Responses...)
	one := outcome{r.Right, r.Sent}
	b.trials[r.Scenario] = append(b.trials[r.Scenario], one)
	b.cells[cellKey(r)] = one
	if r.Usage != nil {
		b.Usage.Turns += r.Usage.Turns
		b.Usage.InputTokens += r.Usage.InputTokens
		b.Usage.OutputTokens += r.Usage.OutputTokens
		b.Usage.CostUSD += r.Usage.CostUSD
		b.UsageRequests += r.Sent + r.Probes
		b.UsageRight += r.Right
	}
}

func (b *building) finish() Entrant {
	b.Tally.Rate = rateOf(b.trials)
	b.PassedN = b.passed
	b.Passed = score.Wilson(b.passed, b.Done)
	b.Response = score.Distribute(b.responses)
	for i := range b.Squares {
		square := &b.Squares[i]
		square.Rate = rateOf(map[string][]outcome{"": b.trials[square.Scenario]})
		square.Response = score.Distribute(b.squares[i])
	}
	return b.Entrant
}
