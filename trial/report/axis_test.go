package report

import (
	"strings"
	"testing"
)

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		log    bool
		ticks  string
	}{
		{"none", nil, false, "0, 0.2 ms, 0.4 ms, 0.6 ms, 0.8 ms, 1 ms"},
		{"close together", []float64{900, 1000, 1200}, false, "0, 500 ms, 1 s"},
		{"a model beside a program", []float64{0.2, 42600}, true, "1 ms, 10 ms, 100 ms, 1 s, 10 s"},
		{"just logarithmic", []float64{10, 500}, true, "10 ms, 20 ms, 50 ms, 100 ms, 200 ms, 500 ms"},
		{"many decades", []float64{1e-3, 1e9}, true, "1 µs, 1 ms, 1 s, 1000 s, 1e+06 s"},
		{"minutes", []float64{3e5, 1.2e6}, false, "0, 5 min, 10 min, 15 min, 20 min"},
		{"no durations", []float64{-1, 0, 1e300}, false, "0, 0.2 ms, 0.4 ms, 0.6 ms, 0.8 ms, 1 ms"},
	} {
		a := durationAxis(c.values)
		var labels []string
		last := position(-1)
		for _, tick := range a.Ticks {
			labels = append(labels, tick.Label)
			if tick.At <= last || tick.At > 100 {
				t.Errorf("%s: tick %s at %s after %s", c.name, tick.Label, tick.At, last)
			}
			last = tick.At
		}
		if got := strings.Join(labels, ", "); a.log != c.log || got != c.ticks {
			t.Errorf("%s: logarithmic %t, ticks %s; want %t, %s", c.name, a.log, got, c.log, c.ticks)
		}
		for _, v := range c.values {
			if p := a.at(v); p < 0 || p > 100 {
				t.Errorf("%s: %g at %s", c.name, v, p)
			}
		}
	}
}
