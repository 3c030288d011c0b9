package score

import (
	"math"
	"slices"
	"testing"
)

func TestDistribute(t *testing.T) {
	upTo := func(n int) []float64 {
		var values []float64
		for i := n; i > 0; i-- {
			values = append(values, float64(i))
		}
		return values
	}
	for _, c := range []struct {
		name   string
		values []float64
		want   Distribution
	}{
		{"none", nil, Distribution{}},
		{"one", []float64{7}, Distribution{1, 7, 7, 7, 7, 7}},
		{"two: the lower is the median", []float64{4, 2}, Distribution{2, 2, 2, 4, 4, 3}},
		{"NIST's and Wikipedia's five", []float64{15, 20, 35, 40, 50}, Distribution{5, 15, 35, 50, 50, 32}},
		{"nineteen", upTo(19), Distribution{19, 1, 10, 19, 19, 10}},
		{"twenty: the nineteenth is p95", upTo(20), Distribution{20, 1, 10, 19, 20, 10.5}},
		{"a hundred", upTo(100), Distribution{100, 1, 50, 95, 100, 50.5}},
		{"not finite", []float64{math.NaN(), 3, math.Inf(1)}, Distribution{1, 3, 3, 3, 3, 3}},
		{"sum beyond a float64", []float64{math.MaxFloat64, math.MaxFloat64}, Distribution{2, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64}},
	} {
		before := slices.Clone(c.values)
		got := Distribute(c.values)
		if math.Abs(got.Mean-c.want.Mean) < 1e-12 {
			got.Mean = c.want.Mean
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if c.name != "not finite" && !slices.Equal(before, c.values) {
			t.Errorf("%s: the values were changed", c.name)
		}
	}
}

// TestWilson compares with Newcombe, "Two-sided confidence intervals for the
// single proportion", Statistics in Medicine 17 (1998), table I, method 3.
func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{20, 20, 1 - 0.1611, 1},
		{10, 10, 0.7225, 1},
	} {
		got := Wilson(c.k, c.n)
		if math.Abs(got.Low-c.low) > 5e-5 || math.Abs(got.High-c.high) > 5e-5 || got.Value != float64(c.k)/float64(c.n) {
			t.Errorf("%d of %d: %+v, want %v to %v", c.k, c.n, got, c.low, c.high)
		}
	}
	if got, want := Wilson(0, 0), (Rate{0, 0, 1}); got != want {
		t.Errorf("0 of 0: %+v, want %+v", got, want)
	}
	if got := Wilson(0, 20).Low; got != 0 {
		t.Errorf("0 of 20: from %g", got)
	}
	if got := Wilson(20, 20).High; got != 1 {
		t.Errorf("20 of 20: to %g", got)
	}
	if got := Wilson(-3, -1); got != (Rate{0, 0, 1}) {
		t.Errorf("-3 of -1: %+v", got)
	}
	if got, want := Wilson(9, 4), Wilson(4, 4); got != want {
		t.Errorf("9 of 4: %+v, want %+v", got, want)
	}
}

func TestTallyAdd(t *testing.T) {
	a := Tally{Sent: 10, Answered: 9, Right: 8, Wrong: 1, Lost: 1, Refused: 2, Calls: 3, CharsIn: 4, CharsOut: 5, Reads: 6, Writes: 7,
		Faults: map[string]int{FaultLost: 1, FaultLength: 1}}
	b := Tally{Sent: 3, Right: 2, Late: 1, Faults: map[string]int{FaultLost: 2, FaultLate: 1}}
	var sum Tally
	sum.Add(a)
	sum.Add(b)
	sum.Add(Tally{})
	if sum.Sent != 13 || sum.Answered != 9 || sum.Right != 10 || sum.Wrong != 1 || sum.Lost != 1 || sum.Late != 1 || sum.Refused != 2 ||
		sum.Calls != 3 || sum.CharsIn != 4 || sum.CharsOut != 5 || sum.Reads != 6 || sum.Writes != 7 {
		t.Errorf("sum: %+v", sum)
	}
	if sum.Faults[FaultLost] != 3 || sum.Faults[FaultLength] != 1 || sum.Faults[FaultLate] != 1 {
		t.Errorf("faults: %v", sum.Faults)
	}
	if sum.Rate != Wilson(10, 13) {
		t.Errorf("rate: %+v", sum.Rate)
	}
	if a.Faults[FaultLost] != 1 {
		t.Error("Add changed its argument")
	}
}

func TestPerPacket(t *testing.T) {
	tally := Tally{Calls: 3, CharsIn: 10, CharsOut: 20, Reads: 2, Writes: 4}
	if calls, ok := tally.CallsPerPacket(); calls != 1.5 || !ok {
		t.Errorf("calls: %g, %t", calls, ok)
	}
	if chars, ok := tally.CharsPerPacket(); chars != 10 || !ok {
		t.Errorf("characters read: %g, %t", chars, ok)
	}
	if chars, ok := tally.CharsPerReply(); chars != 2.5 || !ok {
		t.Errorf("characters written: %g, %t", chars, ok)
	}
	if calls, ok := (Tally{Calls: 30, Reads: 150, Sent: 5}).CallsPerRequest(); calls != 6 || !ok {
		t.Errorf("%g calls a request (%t), want 6", calls, ok)
	}
	if _, ok := (Tally{Calls: 3}).CallsPerPacket(); ok {
		t.Error("CallsPerPacket without packets is ok")
	}
}
