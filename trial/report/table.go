// Package report presents the result of a trial to people: as a table, a page or a
// comparison, and the progress while it runs.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// longestLine is the length at which strings of a report are cut, in characters.
const longestLine = 400

// WriteTable prints a report as a table with a row for each scenario. It is at most width
// columns wide; 0 means 80, and less than 60 means 60. It has colours only on a terminal.
// Strings from packets and agents are printed as harmless text.
func WriteTable(w io.Writer, r *score.Report, width int) error {
	if width <= 0 {
		width = 80
	}
	t := table{paper{width: max(width, 60), painter: newPainter(w)}, r}
	t.head()
	t.rows()
	t.sums()
	t.faults()
	t.reasons()
	t.sum()
	_, err := w.Write(t.out.Bytes())
	return err
}

// table is a table being written.
type table struct {
	paper
	report *score.Report
}

func (t *table) head() {
	r := t.report
	switch {
	case r.Network != "":
		t.say(bold, 2, "%s on a %s network, %s", whoOf(r), r.Network, assistOf(r))
	case r.Session != "":
		t.say(bold, 2, "%s did not read", whoOf(r))
	case r.Agent.Kind == "running":
		t.say(bold, 2, "no running session was found")
	default:
		t.say(bold, 2, "%s did not start a session", whoOf(r))
	}
	if used := assistUsedOf(r); used != "" {
		t.say("", 2, "%s", used)
	}
	t.say("", 2, "%s", settingsOf(r))
	t.say(faint, 2, "%s", circumstancesOf(r))
	saidBelow := func(s score.Result) bool { return s.Reason == r.Cut }
	if r.Cut != "" && !slices.ContainsFunc(r.Scenarios, saidBelow) {
		t.say(red, 2, "ended early: %s", r.Cut)
	}
	t.space()
}

// rows prints the figures: answers, times, and where the time went.
func (t *table) rows() {
	r := t.report
	if len(r.Scenarios) == 0 {
		t.say("", 0, "no scenario has run")
		t.space()
	}
	if r.Total.Sent == 0 {
		return // reasons says why
	}
	results := r.Scenarios
	if len(results) > 1 {
		results = append(results[:len(results):len(results)], r.InAll())
	}
	var names []string
	for _, s := range results {
		names = append(names, ladder.Line(s.Scenario, 24))
	}
	verdicts := column{head: "verdict", left: true, style: func(row int) style {
		if results[row].Passed || row == len(r.Scenarios) {
			return ""
		}
		return red
	}}
	for _, s := range results[:len(r.Scenarios)] {
		verdicts.cells = append(verdicts.cells, verdictOf(s))
	}
	if len(results) > len(r.Scenarios) {
		verdicts.cells = append(verdicts.cells, t.verdictOfAll())
	}
	of := func(head string, cell func(score.Result) string) column {
		c := column{head: head}
		for _, s := range results {
			c.cells = append(c.cells, cell(s))
		}
		return c
	}
	g := grid{names: names, groups: []columnGroup{
		{"", append(answerColumns(of), verdicts)},
		{"round trip", roundTripColumns(of)},
		{"response", []column{of("median", func(s score.Result) string { return timeOf(s.Response, s.Response.Median) })}},
		{"where the time went, medians", partColumns(of)},
		{"cost", costColumns(of)},
	}}
	t.out.WriteString(g.text(t.width, t.painter))
	t.space()
}

func (t *table) verdictOfAll() string {
	passed := 0
	for _, s := range t.report.Scenarios {
		if s.Passed {
			passed++
		}
	}
	return fmt.Sprintf("%d of %d", passed, len(t.report.Scenarios))
}

// faults prints the faults of each scenario by kind.
func (t *table) faults() {
	some := false
	for _, s := range t.report.Scenarios {
		var kinds []string
		for _, f := range sortedFaults(s.Tally.Faults) {
			kinds = append(kinds, fmt.Sprintf("%s %s", ladder.Count(f.N), f.Kind))
		}
		if s.Tally.Refused > 0 {
			kinds = append(kinds, ladder.Count(s.Tally.Refused)+" packets refused by the server")
		}
		if len(kinds) > 0 {
			t.say("", 4, "faults in %s: %s", s.Scenario, strings.Join(kinds, ", "))
			some = true
		}
	}
	if some {
		t.space()
	}
}

// reasons prints why scenarios did not pass, and their notes. Consecutive scenarios with the
// same reason share a line.
func (t *table) reasons() {
	some := false
	for scenarios := t.report.Scenarios; len(scenarios) > 0; {
		s, alike := scenarios[0], 1
		for alike < len(scenarios) && scenarios[alike].Skipped && s.Skipped && scenarios[alike].Reason == s.Reason {
			alike++
		}
		if !s.Passed {
			var names []string
			for _, one := range scenarios[:alike] {
				names = append(names, one.Scenario)
			}
			t.say(red, 4, "%s %s: %s", strings.Join(names, ", "), verdictOf(s), cmp.Or(s.Reason, "the report gives no reason"))
			some = true
		}
		if s.Note != "" {
			t.say("", 4, "%s: %s", s.Scenario, s.Note)
			some = true
		}
		scenarios = scenarios[alike:]
	}
	if some {
		t.space()
	}
}

// sum prints the result in one sentence, with the assist level.
func (t *table) sum() {
	r := t.report
	switch {
	case r.Total.Sent == 0 && r.Assist == "": // no session, so the assist level is unknown
		t.say(bold, 2, "nothing was sent")
	case r.Total.Sent == 0:
		t.say(bold, 2, "nothing was sent, with %s", assistOf(r))
	default:
		t.say(bold, 2, "%s of %s right: %s, 95 %% interval %s, with %s", ladder.Count(r.Total.Right),
			ladder.Count(r.Total.Sent), rateOf(r.Total), intervalOf(r.Total), assistOf(r))
	}
	if used := usageOf(r.Usage); used != "" {
		t.say("", 2, "the agent used %s", used)
	}
	if handled := handlerOf(r); handled != "" {
		t.say("", 2, "%s", handled)
	}
	for _, missing := range r.Unrecorded {
		t.say(red, 2, "%s", missing)
	}
}
