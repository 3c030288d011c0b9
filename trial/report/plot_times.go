package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Above oneByOne answers of one kind a plot shows them together, in slices of
// time. A lane of more than rugFrom is a row of strokes.
const (
	oneByOne = 400
	slicesOf = 100
	rugFrom  = 60 // marks in a lane
)

// timesPlot shows the response time of each exchange over the time of the
// scenario. What has no time stands in lanes above.
type timesPlot struct {
	ID     string // for references within the page
	About  string // what is shown, one sentence, for those who cannot see it
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

// bar sums up the right answers of a slice of time.
type bar struct {
	X                             position
	Top, Upper, Mid, Lower, Floor position // maximum, quartiles, minimum; from the top of the plot
	Tip                           string
}

// lane is a row of marks that have no time.
type lane struct {
	Label string
	Y     int  // pixels from the top
	Dense bool // too many for their shapes: strokes are drawn
	Marks []mark
}

// limitLine is the deadline's line.
type limitLine struct {
	Y     position
	Label string
}

// laneHeight is a lane's height in pixels; timesHeight that of the plot below.
const (
	laneHeight  = 20
	timesHeight = 220
)

// LanesHeight and Height are in pixels.
func (p timesPlot) LanesHeight() int { return len(p.Lanes) * laneHeight }
func (p timesPlot) Height() int {
	if p.Up == nil {
		return p.LanesHeight()
	}
	return p.LanesHeight() + timesHeight
}

// newTimesPlot draws a scenario; nil if it has no exchanges.
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
		p.What, formatCount(len(s.Exchanges)), formatTime(slices.Max(starts)), s.Tally.Right, s.Tally.Wrong, s.Tally.Late, s.Tally.Lost)
	return p
}

// timing chooses which time of an exchange to draw: the response time, or the
// round trip if no response time is known.
func timing(exchanges []score.Exchange) (time func(score.Exchange) float64, what string) {
	if slices.ContainsFunc(exchanges, func(e score.Exchange) bool { return measured(e.Response) }) {
		return func(e score.Exchange) float64 { return e.Response }, "response time"
	}
	return func(e score.Exchange) float64 { return e.RoundTrip }, "round trip"
}

// shape is how an exchange is drawn: by its outcome, but what was rightly left
// alone apart from what was rightly answered.
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
	return score.Wrong // a report that somebody made by hand
}

func shapeName(shape string) string {
	if shape == "alone" {
		return "left alone"
	}
	return shape
}

// leftAlone reports whether the agent was right not to answer.
func leftAlone(e score.Exchange) bool {
	return e.Outcome == score.Right && e.Answer == 0 && !measured(e.Response) && !measured(e.RoundTrip)
}

// tip says one exchange in a line.
func tip(e score.Exchange) string {
	text := fmt.Sprintf("%d, %s: %s", e.N, printableLine(e.Name, 60), shapeName(shape(e)))
	if measured(e.Response) {
		text += ", response " + formatTime(e.Response)
	}
	if measured(e.RoundTrip) {
		text += ", round trip " + formatTime(e.RoundTrip)
	}
	if e.Detail != "" {
		text += ", " + printableLine(e.Detail, 120)
	}
	return text
}

// bars puts exchanges together that started in the same slice of time.
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
				d.N, formatTime(d.Min), formatTime(d.Median), formatTime(d.Max)),
		})
	}
	return all
}

// thinOut keeps one mark of those at the same place, if there are many: what
// is hidden by another need not be drawn.
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
