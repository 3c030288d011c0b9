package page

import "math"

// plotSlices is the largest number of time slices in a plot. When they are used up,
// pairs of slices are merged, so a plot of a whole day has no more slices.
const plotSlices = 480

// firstSlice is the initial width of a slice, in milliseconds.
const firstSlice = 250.0

// Series of a plot.
const (
	byAgent   = 0
	byHandler = 1
)

// plot summarizes response times over time.
type plot struct {
	width    float64             // of a slice, in milliseconds
	slices   [plotSlices][2]span // by time since the session's start, then by series
	reshaped int                 // version at which slices were last merged
}

// span summarizes the response times of a series in a slice, in milliseconds.
type span struct {
	n        int
	min, max float64
	logs     float64 // sum of the logarithms
	version  int     // at which it last changed
}

// fastest is the smallest response time in a plot, in milliseconds. Events round to
// microseconds, and a logarithmic scale has no zero.
const fastest = 0.0005

// add adds a response time at time at, both in milliseconds.
func (p *plot) add(at, response float64, series, version int) {
	if at < 0 || math.IsNaN(at) || math.IsInf(at, 0) {
		return
	}
	if p.width == 0 {
		p.width = firstSlice
	}
	for at >= p.width*plotSlices {
		p.merge(version)
	}
	response = max(response, fastest)
	p.slices[int(at/p.width)][series].join(span{1, response, response, math.Log(response), version})
}

// join merges another span into s.
func (s *span) join(other span) {
	switch {
	case other.n == 0:
		return
	case s.n == 0:
		*s = other
		return
	}
	s.n += other.n
	s.min, s.max = min(s.min, other.min), max(s.max, other.max)
	s.logs += other.logs
	s.version = max(s.version, other.version)
}

// merge doubles the width of the slices.
func (p *plot) merge(version int) {
	for i := range p.slices {
		var both [2]span
		for series := range both {
			if 2*i < plotSlices {
				both[series] = p.slices[2*i][series]
				both[series].join(p.slices[2*i+1][series])
			}
		}
		p.slices[i] = both
	}
	p.width *= 2
	p.reshaped = version
}

// plotMessage has the changes of a plot for a page.
type plotMessage struct {
	Width float64     `json:"width"`           // of a slice, milliseconds
	Whole bool        `json:"whole,omitempty"` // all slices, not only the changed ones
	Spans [][]float64 `json:"spans"`           // slice, series, n, min, geometric mean, max
}

// since returns the changes after a version, or nil if there are none.
func (p *plot) since(version int) *plotMessage {
	m := &plotMessage{Width: p.width, Whole: version < p.reshaped || version == 0}
	for i, slice := range p.slices {
		for series, s := range slice {
			if s.n > 0 && (m.Whole || s.version > version) {
				m.Spans = append(m.Spans, []float64{float64(i), float64(series), float64(s.n), s.min, round(math.Exp(s.logs / float64(s.n))), s.max})
			}
		}
	}
	if len(m.Spans) == 0 && !m.Whole {
		return nil
	}
	return m
}

// round rounds to four significant digits.
func round(v float64) float64 {
	if v <= 0 {
		return 0
	}
	power := math.Pow(10, 3-math.Floor(math.Log10(v)))
	return math.Round(v*power) / power
}
