package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Limits of a plot. It shows more than oneByOne right answers as bars, one for each of
// slicesOf slices of time. A lane with more than rugFrom marks shows strokes.
const (
	oneByOne = 400
	slicesOf = 100
	rugFrom  = 60
)

// timesPlot shows the response time of each exchange over the time of the scenario.
// Exchanges without a time are in lanes above.
type timesPlot struct {
	ID     string // for references within the page
	About  string // a sentence for readers who cannot see the plot
	What   string // the vertical axis: response time or round trip; outcome if nothing has a time
	Across axis
	Up     *axis // nil if nothing has a time
	Bars   []bar
	Marks  []mark
	Limit  *limitLine
	Lanes  []lane
}

// mark is one exchange, drawn in the shape of its outcome.
type mark struct {
	Shape string // right, wrong, late, lost, alone
	X, Y  position
	Tip   string
}

// bar summarizes the right answers in a slice of time.
type bar struct {
	X                             position
	Top, Upper, Mid, Lower, Floor position // maximum, quartiles and minimum, from the top of the plot
	Tip                           string
}

// lane is a row of marks without a time.
type lane struct {
	Label string
	Y     int  // pixels from the top
	Dense bool // draw strokes, because there are too many marks for shapes
	Marks []mark
}

// limitLine is the line of the deadline.
type limitLine struct {
	Y     position
	Label string
}

// laneHeight and timesHeight are the heights of a lane and of the plot below, in pixels.
const (
	laneHeight  = 20
	timesHeight = 220
)

// LanesHeight returns the height of all lanes, in pixels.
func (p timesPlot) LanesHeight() int { return len(p.Lanes) * laneHeight }

// Height returns the height of lanes and plot, in pixels.
func (p timesPlot) Height() int {
	if p.Up == nil {
		return p.LanesHeight()
	}
	return p.LanesHeight() + timesHeight
}

// newTimesPlot returns the plot of a scenario, or nil if it has no exchanges.
func newTimesPlot(id string, s score.Result, deadline float64) *timesPlot {
	if len(s.Exchanges) == 0 {
		return nil
	}
	p := &timesPlot{ID: id}
	time, what := timing(s.Exchanges)
	p.What = what
	var starts, times []float64
	for _, e := range s.Exchanges {
		starts = append(starts, e.At)
		times = append(times, time(e))
	}
	p.Across = linearAxis(slices.Max(starts))
	if slices.ContainsFunc(times, measured) {
		up := durationAxis(times)
		p.Up = &up
		if up.contains(deadline) && deadline > 0 {
			p.Limit = &limitLine{100 - up.at(deadline), "deadline " + tickLabel(deadline, false)}
		}
	} else {
		p.What = "outcome"
	}
	var right []score.Exchange
	apart := map[string][]mark{}
	for i, e := range s.Exchanges {
		m := mark{Shape: shape(e), X: p.Across.at(e.At), Tip: tip(e)}
		switch {
		case !measured(times[i]):
			apart[m.Shape] = append(apart[m.Shape], m)
		case m.Shape == score.Right:
			right = append(right, e)
		default:
			m.Y = 100 - p.Up.at(times[i])
			p.Marks = append(p.Marks, m)
		}
	}
	if len(right) > oneByOne {
		p.Bars = bars(right, time, p.Across, *p.Up)
	} else {
		for _, e := range right {
			p.Marks = append(p.Marks, mark{score.Right, p.Across.at(e.At), 100 - p.Up.at(time(e)), tip(e)})
		}
	}
	p.Marks = thinOut(p.Marks)
	for _, name := range []string{"alone", score.Right, score.Wrong, score.Late, score.Lost} {
		if marks := apart[name]; len(marks) > 0 {
			p.Lanes = append(p.Lanes, lane{shapeName(name), len(p.Lanes) * laneHeight, len(marks) > rugFrom, thinOut(marks)})
		}
	}
	p.About = fmt.Sprintf("%s of %s exchanges over %s: %d right, %d wrong, %d late, %d lost. The table of all exchanges below has the numbers.",
		p.What, ladder.Count(len(s.Exchanges)), ladder.Time(slices.Max(starts)), s.Tally.Right, s.Tally.Wrong, s.Tally.Late, s.Tally.Lost)
	return p
}

// timing returns which time of an exchange to draw, and its name: the response time, or the
// round trip if no response time is known.
func timing(exchanges []score.Exchange) (time func(score.Exchange) float64, what string) {
	if slices.ContainsFunc(exchanges, func(e score.Exchange) bool { return measured(e.Response) }) {
		return func(e score.Exchange) float64 { return e.Response }, "response time"
	}
	return func(e score.Exchange) float64 { return e.RoundTrip }, "round trip"
}

// shape returns the shape of an exchange: its outcome, but "alone" for a packet that the
// agent was right to ignore.
func shape(e score.Exchange) string {
	switch e.Outcome {
	case score.Right:
		if leftAlone(e) {
			return "alone"
		}
		return score.Right
	case score.Wrong, score.Late, score.Lost:
		return e.Outcome
	}
	return score.Wrong // a report written by hand
}

func shapeName(shape string) string {
	if shape == "alone" {
		return "ignored"
	}
	return shape
}

// leftAlone reports whether the agent was right not to answer.
func leftAlone(e score.Exchange) bool {
	return e.Outcome == score.Right && e.Answer == 0 && !measured(e.Response) && !measured(e.RoundTrip)
}

// tip returns a line about an exchange.
func tip(e score.Exchange) string {
	text := fmt.Sprintf("%d, %s: %s", e.N, ladder.Line(e.Name, 60), shapeName(shape(e)))
	if measured(e.Response) {
		text += ", response " + ladder.Time(e.Response)
	}
	if measured(e.RoundTrip) {
		text += ", round trip " + ladder.Time(e.RoundTrip)
	}
	if e.Detail != "" {
		text += ", " + ladder.Line(e.Detail, 120)
	}
	return text
}

// bars groups exchanges by the slice of time in which they began.
func bars(exchanges []score.Exchange, time func(score.Exchange) float64, across, up axis) []bar {
	var bins [slicesOf][]float64
	for _, e := range exchanges {
		i := min(int(across.at(e.At)*slicesOf/100), slicesOf-1)
		bins[i] = append(bins[i], time(e))
	}
	var all []bar
	for i, times := range bins {
		if len(times) == 0 {
			continue
		}
		slices.Sort(times)
		at := func(percent int) position { return 100 - up.at(score.NearestRank(times, percent)) }
		d := score.Distribute(times)
		all = append(all, bar{
			X: position(100 * (float64(i) + 0.5) / slicesOf), Top: at(100), Upper: at(75), Mid: at(50), Lower: at(25), Floor: at(0),
			Tip: fmt.Sprintf("%d right answers in this slice of time: min %s, median %s, max %s",
				d.N, ladder.Time(d.Min), ladder.Time(d.Median), ladder.Time(d.Max)),
		})
	}
	return all
}

// thinOut drops marks hidden by others at the same place, if there are many.
func thinOut(marks []mark) []mark {
	if len(marks) <= oneByOne {
		return marks
	}
	type place struct {
		shape string
		x, y  int
	}
	first := map[place]int{}
	more := map[place]int{}
	var kept []mark
	for _, m := range marks {
		p := place{m.Shape, int(math.Round(2 * float64(m.X))), int(math.Round(float64(m.Y)))}
		if _, taken := first[p]; taken {
			more[p]++
			continue
		}
		first[p] = len(kept)
		kept = append(kept, m)
	}
	for p, n := range more {
		kept[first[p]].Tip += fmt.Sprintf("; and %d more at this place", n)
	}
	return kept
}
