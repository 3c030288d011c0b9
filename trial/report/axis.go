package report

import (
	"fmt"
	"math"
	"strconv"
)

// position is a place along a plot's width or height, in percent. It prints in the form
// that SVG reads, so plots scale with the page.
type position float64

func (p position) String() string { return strconv.FormatFloat(float64(p), 'f', 2, 64) + "%" }

// axis maps durations in milliseconds to positions.
type axis struct {
	low, high float64 // durations at 0 and 100 %
	log       bool
	Ticks     []tick
}

// tick is a labelled place on an axis.
type tick struct {
	At    position
	Label string
}

// logFrom is the ratio of the greatest to the smallest duration from which an axis is
// logarithmic. On a linear axis the smallest would be at 2 %.
const logFrom = 50

// durationAxis returns an axis for the measured values. It is linear from 0 if they are
// close together, and otherwise logarithmic.
func durationAxis(values []float64) axis {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if measured(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if high > 0 && high/low >= logFrom {
		return logAxis(low, high)
	}
	return linearAxis(1.05 * high)
}

// measured reports whether v is a duration in milliseconds. 0 means none, and nothing is
// faster than a picosecond or slower than a million years.
func measured(v float64) bool { return v > 1e-9 && v < 1e17 }

// linearAxis returns an axis from 0 to high with about five ticks.
func linearAxis(high float64) axis {
	if !measured(high) {
		high = 1
	}
	a := axis{high: high}
	unit := 1.0
	if high >= 300e3 {
		unit = 60e3 // minutes, whose multiples are not round numbers of milliseconds
	}
	step := unit * roundStep(high/unit/5.5)
	for i := range 6 {
		if v := float64(i) * step; v <= high {
			a.Ticks = append(a.Ticks, tick{a.at(v), tickLabel(v, unit > 1)})
		}
	}
	return a
}

// roundStep returns the smallest of 1, 2 and 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if step*power >= v*(1-1e-9) {
			return step * power
		}
	}
	return 10 * power
}

// logAxis returns an axis from a little below low to a little above high. Its ticks are
// powers of ten, six at most. If there are few, it also has 2 and 5 times those.
func logAxis(low, high float64) axis {
	margin := math.Pow(high/low, 0.04)
	a := axis{low: low / margin, high: high * margin, log: true}
	first, last := int(math.Ceil(math.Log10(a.low))), int(math.Floor(math.Log10(a.high)))
	every := (last-first)/6 + 1
	for power := first - 1; power <= last; power++ {
		for _, times := range []float64{1, 2, 5} {
			v := times * math.Pow(10, float64(power))
			if v < a.low || v > a.high || times > 1 && last-first > 1 || (power-first)%every != 0 {
				continue
			}
			a.Ticks = append(a.Ticks, tick{a.at(v), tickLabel(v, false)})
		}
	}
	return a
}

// at returns the position of v, clamped to the axis.
func (a axis) at(v float64) position {
	var share float64
	if a.log {
		share = math.Log(v/a.low) / math.Log(a.high/a.low)
	} else {
		share = (v - a.low) / (a.high - a.low)
	}
	if math.IsNaN(share) {
		return 0
	}
	return position(100 * min(max(share, 0), 1))
}

// contains reports whether v is on the axis.
func (a axis) contains(v float64) bool { return v >= a.low && v <= a.high }

// tickLabel formats a round number of milliseconds, as minutes if minutes is set.
func tickLabel(ms float64, minutes bool) string {
	v, unit := ms, "ms"
	switch {
	case minutes:
		v, unit = ms/60e3, "min"
	case ms >= 1e3:
		v, unit = ms/1e3, "s"
	case ms > 0 && ms < 0.1:
		v, unit = ms*1e3, "µs"
	}
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%.4g %s", v, unit)
}
