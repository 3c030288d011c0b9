package fleet

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	start := time.Now()
	for _, c := range []struct {
		name  string
		marks int                    // a second apart
		ended func(second int) int   // cells ended by then
		want  func(got float64) bool // cells a minute
	}{
		{"a single mark", 1, func(int) int { return 0 }, func(got float64) bool { return got == 0 }},
		{"no cell has ended", 90, func(int) int { return 0 }, func(got float64) bool { return got == 0 }},
		{"two a second", 30, func(s int) int { return 2 * s }, func(got float64) bool { return got == 120 }},
		{"only the last minute counts", 300, func(s int) int { return 2*min(s, 200) + 10*max(s-200, 0) },
			func(got float64) bool { return got == 600 }},
		{"one every 10 s: the last 20 cells count", 600, func(s int) int { return s / 10 }, func(got float64) bool { return got > 5.9 && got < 6.1 }},
		{"a very slow campaign keeps few marks", 10_000, func(s int) int { return s / 4000 }, func(got float64) bool { return got > 0 && got < 0.05 }},
	} {
		var p pace
		for s := range c.marks {
			p.note(start.Add(time.Duration(s)*time.Second), c.ended(s))
		}
		if got := p.perMinute(); !c.want(got) || len(p) > maxMarks {
			t.Errorf("%s: %v cells a minute from %d marks", c.name, got, len(p))
		}
	}
}
