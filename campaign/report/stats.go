package report

import (
	"fmt"
	"math"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// outcome is the result of one trial: right answers to sent requests.
type outcome struct{ right, sent int }

// rateOf returns the share of right answers of trials, by scenario, with its 95 %
// interval. Requests of one trial are correlated, so they say less than the same
// number of requests of different trials. The interval is therefore Wilson's for an
// effective number of requests: the number whose variance is the one observed
// between trials, but at most the real one. Scenarios are chosen, not drawn at
// random, so the differences between them do not widen the interval.
func rateOf(scenarios map[string][]outcome) score.Rate {
	var right, sent int
	variance := 0.0 // of right
	for _, trials := range scenarios {
		k, n := 0, 0
		for _, t := range trials {
			k, n = k+t.right, n+t.sent
		}
		right, sent = right+k, sent+n
		if n == 0 {
			continue
		}
		p := float64(k) / float64(n)
		within, m := 0.0, float64(len(trials))
		for _, t := range trials {
			d := float64(t.right) - p*float64(t.sent)
			within += d * d
		}
		if m > 1 {
			within *= m / (m - 1)
		}
		variance += max(within, float64(n)*p*(1-p))
	}
	if sent == 0 {
		return score.Rate{Low: 0, High: 1}
	}
	p, n := float64(right)/float64(sent), float64(sent)
	if variance > 0 {
		n = min(n, p*(1-p)*n*n/variance)
	}
	return score.WilsonShare(p, n)
}

// Difference is the comparison of two entrants over the cells that both have played.
type Difference struct {
	A, B  string  // labels
	Cells int     // of each
	Value float64 // A's share of right answers minus B's
	Low   float64 // Low to High is the 95 % interval
	High  float64
}

// Seen reports whether the entrants differ significantly: the interval excludes 0.
func (d Difference) Seen() bool { return d.Cells > 0 && (d.Low > 0 || d.High < 0) }

// Words returns the difference as a sentence.
func (d Difference) Words() string {
	switch {
	case d.Cells == 0:
		return fmt.Sprintf("%s and %s have played no cell in common, so they cannot be compared.", d.A, d.B)
	case d.Low > 0:
		return fmt.Sprintf("%s is better than %s by %s percentage points (%s to %s).", d.A, d.B, points(d.Value), points(d.Low), points(d.High))
	case d.High < 0:
		return fmt.Sprintf("%s is better than %s by %s percentage points (%s to %s).", d.B, d.A, points(-d.Value), points(-d.High), points(-d.Low))
	}
	return fmt.Sprintf("%s and %s do not differ significantly: the difference may be anything from %s to %s percentage points.", d.A, d.B, signed(d.Low), signed(d.High))
}

func points(v float64) string { return fmt.Sprintf("%.1f", 100*v) }
func signed(v float64) string { return fmt.Sprintf("%+.1f", 100*v) }

// difference compares two entrants with Newcombe's hybrid score interval (1998,
// method 10) for two independent shares. The cells are in fact paired, by scenario,
// level and seed. The interval does not use that, so it is rather too wide.
func difference(a, b string, ofA, ofB map[string][]outcome) Difference {
	d := Difference{A: a, B: b}
	for _, trials := range ofA {
		d.Cells += len(trials)
	}
	p, q := rateOf(ofA), rateOf(ofB)
	d.Value = p.Value - q.Value
	d.Low = d.Value - math.Hypot(p.Value-p.Low, q.High-q.Value)
	d.High = d.Value + math.Hypot(p.High-p.Value, q.Value-q.Low)
	return d
}
