package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// If trials differ no more than by chance, the interval is Wilson's, as in the report
// of a single trial.
func TestRateIsWilsons(t *testing.T) {
	for _, c := range [][2]int{{0, 10}, {10, 10}, {3, 10}, {250, 1000}} {
		got := rateOf(map[string][]outcome{"ping": {{c[0], c[1]}}})
		want := score.Wilson(c[0], c[1])
		if math.Abs(got.Low-want.Low) > 1e-12 || math.Abs(got.High-want.High) > 1e-12 || got.Value != want.Value {
			t.Errorf("%d of %d: %+v, want %+v", c[0], c[1], got, want)
		}
	}
	if got := rateOf(nil); got.Low != 0 || got.High != 1 {
		t.Errorf("without trials: %+v", got)
	}
}

// Ten trials, each all right or all wrong, say as much as ten requests.
func TestRateOfTrialsThatAreAllOrNothing(t *testing.T) {
	var trials []outcome
	for i := range 10 {
		trials = append(trials, outcome{100 * (i % 2), 100})
	}
	got, ten := rateOf(map[string][]outcome{"ping": trials}), score.Wilson(5, 10)
	if math.Abs((got.High-got.Low)-(ten.High-ten.Low)) > 0.05 {
		t.Errorf("the interval is %.3f wide, want %.3f as for 5 of 10", got.High-got.Low, ten.High-ten.Low)
	}
}

// About 95 % of the 95 % intervals contain the true rate, even if the requests of a
// trial are correlated.
func TestIntervalsHold(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const rounds = 2000
	held, falseAlarms := 0, 0
	draw := func() (map[string][]outcome, float64) {
		scenarios, truth := make(map[string][]outcome), 0.0
		for name, p := range map[string]float64{"ping": 0.9, "dns": 0.6} {
			for range 30 {
				o := outcome{sent: 10}
				own := min(max(p+0.2*random.NormFloat64(), 0), 1) // rate of this trial
				for range o.sent {
					if random.Float64() < own {
						o.right++
					}
				}
				scenarios[name] = append(scenarios[name], o)
			}
			sum := 0.0 // estimates the mean rate
			for range 400 {
				sum += min(max(p+0.2*random.NormFloat64(), 0), 1)
			}
			truth += sum / 400 / 2
		}
		return scenarios, truth
	}
	truth := 0.0
	for range 200 {
		_, one := draw()
		truth += one / 200
	}
	for range rounds {
		a, _ := draw()
		if r := rateOf(a); r.Low <= truth && truth <= r.High {
			held++
		}
		b, _ := draw()
		if difference("a", "b", a, b).Seen() {
			falseAlarms++
		}
	}
	if share := float64(held) / rounds; share < 0.93 || share > 0.98 {
		t.Errorf("%.1f %% of the intervals contain the true rate, want about 95 %%", 100*share)
	}
	if share := float64(falseAlarms) / rounds; share < 0.02 || share > 0.07 {
		t.Errorf("%.1f %% of the comparisons of equals show a difference, want about 5 %%", 100*share)
	}
}

// Newcombe 1998, table II, method 10: 56/70 against 48/80 is 0.0524 to 0.3339.
func TestDifference(t *testing.T) {
	d := difference("a", "b", map[string][]outcome{"": {{56, 70}}}, map[string][]outcome{"": {{48, 80}}})
	if math.Abs(d.Low-0.0524) > 5e-5 || math.Abs(d.High-0.3339) > 5e-5 {
		t.Errorf("%.4f to %.4f, want 0.0524 to 0.3339", d.Low, d.High)
	}
	if !d.Seen() || !strings.Contains(d.Words(), "a is better than b by 20.0 percentage points (5.2 to 33.4)") {
		t.Error(d.Words())
	}
	d = difference("a", "b", map[string][]outcome{"": {{7, 10}}}, map[string][]outcome{"": {{6, 10}}})
	if d.Seen() || !strings.HasPrefix(d.Words(), "a and b do not differ significantly") {
		t.Error(d.Words())
	}
	if d := difference("a", "b", nil, nil); d.Seen() || !strings.Contains(d.Words(), "no cell in common") {
		t.Error(d.Words())
	}
}
