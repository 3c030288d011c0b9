package score

import (
	"math"
	"testing"
)

// The fit recovers the rate that produced the counts, and its interval shrinks with more
// answers.
func TestFitSums(t *testing.T) {
	of := func(p float64, each int) (rows []SumRow) {
		for _, n := range []int{10, 40, 160, 740} {
			rows = append(rows, SumRow{Words: n, Answered: each, Right: int(math.Round(float64(each) * math.Pow(1-p, float64(n))))})
		}
		return rows
	}
	for _, p := range []float64{0.0001, 0.001, 0.01, 0.1} {
		few, _ := FitSums(of(p, 30))
		many, ok := FitSums(of(p, 3000))
		if !ok || math.Abs(many.P-p) > p/10 || many.Low > p || many.High < p || many.High-many.Low >= few.High-few.Low {
			t.Errorf("p %v: %+v from many, %+v from few", p, many, few)
		}
	}
	if fit, ok := FitSums(of(0, 10)); !ok || fit.P != 0 || fit.Low != 0 || math.Abs(fit.High-(1-math.Exp(-3.841/2/(10*950)))) > 1e-9 {
		t.Errorf("all right: %+v", fit)
	}
	if fit, ok := FitSums([]SumRow{{Words: 10, Answered: 5}}); !ok || fit.P < 0.9 || fit.Low < 0.1 || fit.High < fit.P {
		t.Errorf("all wrong: %+v", fit)
	}
	if _, ok := FitSums([]SumRow{{Words: 10, Sent: 5}}); ok {
		t.Error("FitSums without answers is ok")
	}
}

// A right checksum counts as right even if something else is wrong. Datagrams without an
// answer do not count, nor do answers without a sum.
func TestSumsOf(t *testing.T) {
	rows := SumsOf([]Exchange{
		{Words: 20, Answer: 1, Outcome: Right}, {Words: 10, Answer: 1, Outcome: Wrong, Faults: []string{FaultTransportChecksum}},
		{Words: 10, Outcome: Lost}, {Words: 10, Answer: 2, Outcome: Wrong, Faults: []string{FaultPayload}}, {Answer: 1, Outcome: Right},
		{Words: 20, Answer: 3, NoSum: true, Outcome: Wrong, Faults: []string{FaultLength}}, {Words: 20, Answer: 4, Outcome: Wrong, Faults: []string{FaultType}},
	})
	if len(rows) != 2 || rows[0].Words != 10 || rows[0].Sent != 3 || rows[0].Answered != 2 || rows[0].Right != 1 ||
		rows[1].Sent != 3 || rows[1].Answered != 2 || rows[1].Right != 2 {
		t.Errorf("%+v", rows)
	}
}
