package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// sharePlot shows the share of requests with a right answer as a function of time: the
// distribution of the times of right answers, relative to all requests that needed one. If
// it ends below 100 %, the other answers never came, were late or wrong.
type sharePlot struct {
	ID     string
	About  string
	What   string
	N      int // requests that needed an answer, without probes
	Across axis
	Up     []tick
	Steps  string // an SVG path, in percent
	Points []sharePoint
}

// sharePoint is a labelled point of the curve.
type sharePoint struct {
	X, Y  position
	Label string
	Tip   string
	Left  bool // put the label above, to the left, instead of below, to the right (the curve only rises)
}

// maxSteps bounds the curve's steps. More than the pixels would not be visible.
const maxSteps = 300

// newSharePlot returns the plot of a scenario, or nil if it has no right answer with a time.
func newSharePlot(id string, s score.Result) *sharePlot {
	time, what := timing(s.Exchanges)
	p := &sharePlot{ID: id, What: what, Up: percentTicks()}
	var times []float64
	for _, e := range s.Exchanges {
		if leftAlone(e) || slices.Contains(e.Faults, score.FaultNoise) || e.Probe {
			continue // needed no answer, or does not count
		}
		p.N++
		if e.Outcome == score.Right && measured(time(e)) {
			times = append(times, time(e))
		}
	}
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	p.Across = durationAxis(times)
	share := func(rank int) position { return position(100 - 100*float64(rank)/float64(p.N)) }
	var steps strings.Builder
	steps.WriteString("M0 100")
	every := (len(times) + maxSteps - 1) / maxSteps
	for rank := 1; rank <= len(times); rank++ {
		if rank%every == 0 || rank == 1 || rank == len(times) {
			fmt.Fprintf(&steps, "H%.2fV%.2f", float64(p.Across.at(times[rank-1])), float64(share(rank)))
		}
	}
	steps.WriteString("H100")
	p.Steps = steps.String()
	p.mark("median", 50, times, share)
	p.mark("p95", 95, times, share)
	p.About = fmt.Sprintf("Share of %s requests with a right answer, by %s: %s within %s, the longest.",
		ladder.Count(p.N), what, Share(float64(len(times))/float64(p.N)), ladder.Time(times[len(times)-1]))
	return p
}

// mark labels a percentile of the right answers' times, unless the label would cover the one
// before.
func (p *sharePlot) mark(name string, percent int, times []float64, share func(int) position) {
	v := score.NearestRank(times, percent)
	rank := max((percent*len(times)+99)/100, 1)
	point := sharePoint{X: p.Across.at(v), Y: share(rank), Label: name + " " + ladder.Time(v)}
	point.Tip = fmt.Sprintf("%s of the right answers: %d of %d requests got a right answer within %s", name, rank, p.N, ladder.Time(v))
	point.Left = point.X > 55
	if len(p.Points) > 0 && p.Points[0].Y-point.Y < 9 {
		return
	}
	p.Points = append(p.Points, point)
}

func percentTicks() []tick {
	var ticks []tick
	for share := 0; share <= 100; share += 25 {
		ticks = append(ticks, tick{position(100 - share), fmt.Sprintf("%d %%", share)})
	}
	return ticks
}
