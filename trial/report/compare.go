package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// WriteComparison prints reports side by side, first their totals and then each scenario,
// in 80 columns if that is possible. Names has a name for each report; an empty or missing
// one means the agent's name. If settings differ, the text lists them and says that the
// comparison is not fair. Fewer than two reports are an error.
func WriteComparison(w io.Writer, reports []*score.Report, names []string) error {
	if len(reports) < 2 {
		return errors.New("comparing reports: at least two are needed, for instance tun-mcp trial compare A.json B.json")
	}
	c := comparison{paper: paper{width: 80, painter: newPainter(w)}, reports: reports}
	for i, r := range reports {
		name := whoOf(r)
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		c.names = append(c.names, ladder.Line(name, 30))
	}
	c.who()
	c.fairness()
	c.rows()
	c.sums()
	c.faults()
	_, err := w.Write(c.out.Bytes())
	return err
}

// comparison is a comparison being written.
type comparison struct {
	paper
	reports []*score.Report
	names   []string
}

// who prints the agent, the rate and the cost of each report.
func (c *comparison) who() {
	for i, r := range c.reports {
		used := usageOf(r.Usage)
		if used == "" {
			used = "tokens and cost unknown"
		}
		who := whoOf(r)
		if who != c.names[i] {
			who = c.names[i] + ": " + who
		}
		c.say(bold, 2, "%s, %s", who, assistOf(r))
		c.say("", 4, "  %s right, %s; %s", rateOf(r.Total), intervalOf(r.Total), used)
	}
	c.space()
}

// fairness prints the settings in which the reports differ.
func (c *comparison) fairness() {
	answers, times := differences(c.reports)
	if len(answers) > 0 {
		c.say(red, 0, "Not a fair comparison: these trials ran with different settings.")
	}
	if len(times) > 0 {
		c.say(red, 0, "Times are not comparable: these trials ran on different machines.")
	}
	for _, d := range append(answers, times...) {
		var values []string
		for i, v := range d.values {
			if v == "" {
				v = "unknown"
			}
			values = append(values, v+" ("+c.names[i]+")")
		}
		c.say("", 4, "  %s: %s", d.what, strings.Join(values, ", "))
	}
	if len(answers)+len(times) == 0 {
		c.say("", 2, "All ran with the same settings: assist %s at most, %s, %s network.", c.reports[0].Assist, settingsOf(c.reports[0]), c.reports[0].Network)
	}
	c.space()
}

// scenarioNames returns the scenarios of all reports, each once, in order of appearance.
func (c *comparison) scenarioNames() []string {
	var names []string
	known := map[string]bool{}
	for _, r := range c.reports {
		for _, s := range r.Scenarios {
			if !known[s.Scenario] {
				known[s.Scenario] = true
				names = append(names, s.Scenario)
			}
		}
	}
	return names
}

// rows prints the figures. Under each scenario's name there is a row for each report that
// has the scenario.
func (c *comparison) rows() {
	const title = "\x00" // not a scenario's name: it marks a row with only a name
	var results []score.Result
	var names []string
	add := func(name string, find func(*score.Report) (score.Result, bool)) {
		names, results = append(names, ladder.Line(name, 30)), append(results, score.Result{Scenario: title})
		for i, r := range c.reports {
			if s, ok := find(r); ok {
				names, results = append(names, "  "+c.names[i]), append(results, s)
			}
		}
	}
	add("total", func(r *score.Report) (score.Result, bool) {
		return r.InAll(), true
	})
	for _, name := range c.scenarioNames() {
		add(name, func(r *score.Report) (score.Result, bool) {
			for _, s := range r.Scenarios {
				if s.Scenario == name {
					return s, true
				}
			}
			return score.Result{}, false
		})
	}
	of := func(head string, cell func(score.Result) string) column {
		col := column{head: head}
		for _, s := range results {
			if s.Scenario == title {
				col.cells = append(col.cells, "")
			} else {
				col.cells = append(col.cells, cell(s))
			}
		}
		return col
	}
	g := grid{names: names, groups: []columnGroup{
		{"", answerColumns(of)},
		{"response", []column{
			of("n", func(s score.Result) string { return ladder.Count(s.Response.N) }),
			of("median", func(s score.Result) string { return timeOf(s.Response, s.Response.Median) }),
			of("p95", func(s score.Result) string { return timeOf(s.Response, s.Response.P95) }),
		}},
		{"cost", costColumns(of)},
	}}
	c.out.WriteString(g.text(c.width, c.painter))
	c.space()
}

// faults prints the faults of each report by kind.
func (c *comparison) faults() {
	for i, r := range c.reports {
		var kinds []string
		for _, f := range sortedFaults(r.Total.Faults) {
			kinds = append(kinds, fmt.Sprintf("%s %s", ladder.Count(f.N), f.Kind))
		}
		if len(kinds) == 0 {
			kinds = []string{"none"}
		}
		c.say("", 4, "faults of %s: %s", c.names[i], strings.Join(kinds, ", "))
	}
}
