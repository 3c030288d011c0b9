package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// sums prints the share of right sums by number of words.
func (t *table) sums() {
	for _, s := range t.report.Scenarios {
		if s.Sums == nil {
			continue
		}
		var names []string
		columns := []column{{head: "right/answered"}, {head: "rate"}, {head: "95 % interval"}}
		for _, r := range s.Sums.Rows {
			names = append(names, fmt.Sprintf("%s words", ladder.Count(r.Words)))
			tally := score.Tally{Sent: r.Answered, Right: r.Right, Rate: r.Rate}
			columns[0].cells = append(columns[0].cells, ladder.Count(r.Right)+"/"+ladder.Count(r.Answered))
			columns[1].cells = append(columns[1].cells, rateOf(tally))
			columns[2].cells = append(columns[2].cells, intervalOf(tally))
		}
		g := grid{names: names, groups: []columnGroup{{"right sums in " + ladder.Line(s.Scenario, 24), columns}}}
		t.out.WriteString(g.text(t.width, t.painter))
		t.space()
	}
}

// sums prints how often each agent sums a word wrong, if that is known.
func (c *comparison) sums() {
	some := false
	for i, r := range c.reports {
		for _, s := range r.Scenarios {
			if s.Sums == nil || s.Sums.Fit == nil {
				continue
			}
			answered, right := 0, 0
			for _, row := range s.Sums.Rows {
				answered, right = answered+row.Answered, right+row.Right
			}
			c.say("", 4, "sums of %s: %s of %s right; %s", c.names[i], ladder.Count(right), ladder.Count(answered), fitOf(*s.Sums.Fit))
			some = true
		}
	}
	if some {
		c.space()
	}
}

// fitOf returns the fit as text.
func fitOf(f score.SumFit) string {
	per := func(p float64) string { return fmt.Sprintf("%.3g ‰", 1000*p) }
	return fmt.Sprintf("each word is summed wrong with p = %s, 95 %% interval %s to %s", per(f.P), per(f.Low), per(f.High))
}

// sumsPlot shows the share of right sums by number of words, and the fit.
type sumsPlot struct {
	ID, About string
	Across    axis
	Up        []tick
	Curve     string // an SVG path, in percent; empty without a fit
	Points    []sumsPoint
	Fit       string
}

// sumsPoint is the share of right sums of one size, with its interval.
type sumsPoint struct {
	X, Y, Top, Floor position
	Tip              string
}

// newSumsPlot returns the plot of a scenario, or nil if it has no sums.
func newSumsPlot(id string, s score.Result) *sumsPlot {
	if s.Sums == nil || len(s.Sums.Rows) == 0 {
		return nil
	}
	rows := s.Sums.Rows
	p := &sumsPlot{ID: id, Up: percentTicks()}
	low, high := math.Log(float64(rows[0].Words)/1.3), math.Log(float64(rows[len(rows)-1].Words)*1.3)
	at := func(words float64) position { return position(100 * (math.Log(words) - low) / (high - low)) }
	up := func(share float64) position { return position(100 - 100*share) }
	var about []string
	for _, r := range rows {
		p.Across.Ticks = append(p.Across.Ticks, tick{at(float64(r.Words)), ladder.Count(r.Words)})
		about = append(about, fmt.Sprintf("%d words: %d of %d", r.Words, r.Right, r.Answered))
		if r.Answered == 0 {
			continue
		}
		tally := score.Tally{Sent: r.Answered, Right: r.Right, Rate: r.Rate}
		p.Points = append(p.Points, sumsPoint{at(float64(r.Words)), up(r.Rate.Value), up(r.Rate.High), up(r.Rate.Low),
			fmt.Sprintf("%s words: %s of %s sums right, %s", ladder.Count(r.Words), ladder.Count(r.Right), ladder.Count(r.Answered), intervalOf(tally))})
	}
	p.About = "Share of right sums. " + strings.Join(about, "; ") + "."
	if f := s.Sums.Fit; f != nil {
		p.Fit = fitOf(*f)
		var path strings.Builder
		const pieces = 100
		for i := range pieces + 1 {
			words := math.Exp(low + (high-low)*float64(i)/pieces)
			command := byte('L')
			if i == 0 {
				command = 'M'
			}
			fmt.Fprintf(&path, "%c%.2f %.2f", command, float64(at(words)), float64(up(f.Share(f.P, words))))
		}
		p.Curve = path.String()
	}
	return p
}
