package report

import "math"

// pageDifference is a difference with the positions of what is drawn, from 0 to 100.
// No difference is at 50.
type pageDifference struct {
	Difference
	Left, Middle, Right float64
}

// drawDifferences places all differences on one axis, which fits the widest
// interval.
func drawDifferences(differences []Difference) []pageDifference {
	widest := 0.01
	for _, d := range differences {
		if d.Cells > 0 {
			widest = max(widest, math.Abs(d.Low), math.Abs(d.High))
		}
	}
	at := func(v float64) float64 { return 50 + 50*v/widest }
	var drawn []pageDifference
	for _, d := range differences {
		drawn = append(drawn, pageDifference{d, at(d.Low), at(d.Value), at(d.High)})
	}
	return drawn
}

// Found returns the difference in percentage points, or says that there is none.
func (d pageDifference) Found() string {
	switch {
	case d.Cells == 0:
		return "no common cell"
	case !d.Seen():
		return "not significant"
	}
	return signed(d.Value)
}

// Interval returns the interval in percentage points.
func (d pageDifference) Interval() string {
	if d.Cells == 0 {
		return unknown
	}
	return signed(d.Low) + " to " + signed(d.High)
}
