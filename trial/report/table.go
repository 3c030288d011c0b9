// Package report shows people what a trial found: a table, a page, a
// comparison, and how it is getting on.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// longestLine bounds what a report's strings take up in a table, in
// characters.
const longestLine = 400

// WriteTable prints a report for people: a row a scenario, at most width
// columns wide (0: 80; the least is 60), in colour only on a terminal. What
// packets and agents have put into the report is printed as harmless text.
func WriteTable(w io.Writer, r *score.Report, width int) error {
	if width <= 0 {
		width = 80
	}
	t := table{paper{width: max(width, 60), painter: newPainter(w)}, r}
	t.head()
	t.rows()
	t.faults()
	t.reasons()
	t.sum()
	_, err := w.Write(t.out.Bytes())
	return err
}

// table is the terminal's table being written.
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
		t.say(bold, 2, "%s, which did not read", whoOf(r))
	case r.Agent.Kind == "running":
		t.say(bold, 2, "no running session was found")
	default:
		t.say(bold, 2, "%s, but no session came up", whoOf(r))
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

// rows prints the figures: the answers, the times, where the times went.
func (t *table) rows() {
	r := t.report
	if len(r.Scenarios) == 0 {
		t.say("", 0, "no scenario has run")
		t.space()
	}
	if r.Total.Sent == 0 {
		return // the reasons say why
	}
	results := r.Scenarios
	if len(results) > 1 {
		results = append(results[:len(results):len(results)], r.InAll())
	}
	var names []string
	for _, s := range results {
		names = append(names, printableLine(s.Scenario, 24))
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
		{"for each packet read", costColumns(of)},
		{"for each request", requestColumns(of)},
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

// faults prints what was wrong, by kind.
func (t *table) faults() {
	some := false
	for _, s := range t.report.Scenarios {
		var kinds []string
		for _, f := range sortedFaults(s.Tally.Faults) {
			kinds = append(kinds, fmt.Sprintf("%s %s", formatCount(f.N), f.Kind))
		}
		if s.Tally.Refused > 0 {
			kinds = append(kinds, formatCount(s.Tally.Refused)+" packets kept back by the server")
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

// reasons says why scenarios did not pass, once for those that follow each
// other and share it, and what else was found.
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

// sum prints the result in one sentence, with the assist level in it.
func (t *table) sum() {
	r := t.report
	switch {
	case r.Total.Sent == 0 && r.Assist == "": // nobody has told how much help there is
		t.say(bold, 2, "nothing was sent")
	case r.Total.Sent == 0:
		t.say(bold, 2, "nothing was sent, with %s", assistOf(r))
	default:
		t.say(bold, 2, "%s of %s right: %s, 95 %% interval %s, with %s", formatCount(r.Total.Right),
			formatCount(r.Total.Sent), rateOf(r.Total), intervalOf(r.Total), assistOf(r))
	}
	if used := usageOf(r.Usage); used != "" {
		t.say("", 2, "the agent used %s", used)
	}
	for _, missing := range r.Unrecorded {
		t.say(red, 2, "%s", missing)
	}
}
