package scenario

import (
	"fmt"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The sustained rate of load is computed from the times at which requests were sent,
// not from those at which they should have been sent.
func TestFastestRate(t *testing.T) {
	// right[i] of n requests are right at the i-th interval. Each interval is half of the
	// one before.
	of := func(n int, ms float64, right ...int) (all []score.Exchange) {
		prefix, at := "", 0.0
		for _, right := range right {
			for i := range n {
				x := score.Exchange{N: len(all) + 1, Name: fmt.Sprintf("%s%ssome interval, %d", prefix, every, i+1), At: at, Outcome: score.Right}
				if i >= right {
					x.Outcome = score.Lost
				}
				all = append(all, x)
				at += ms
			}
			prefix, at, ms = prefix+faster, at+5000, ms/2
		}
		return all
	}
	gap := of(4, 2000, 4)
	for _, test := range []struct {
		exchanges []score.Exchange
		want      string
	}{
		{nil, ""},
		{of(1, 2000, 1, 1), ""},
		{of(4, 2000, 3), "3 of 4 right at one request every 2 s"},
		{of(4, 2000, 4), "all right up to one request every 2 s, 0.5 a second"},
		{append(gap[:1:1], gap[2:]...), "all right up to one request every 2 s, 0.5 a second"},
		{of(4, 2000, 4, 4, 2), "all right up to one request every 1 s, 1 a second; 2 of 4 right at one every 500 ms"},
		{of(4, 2000, 4, 4, 4, 4), "all right up to one request every 250 ms, 4 a second"},
		{of(10, 1.5625, 10), "all right up to one request every 1.56 ms, 640 a second"},
		{of(10, 1, 10), "all right up to one request every 1 ms, 1000 a second"},
		{of(10, 0.8, 10), "all right up to one request every 0.8 ms, 1250 a second"},
	} {
		if got := fastestRate(test.exchanges); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// A trial that continues another one has a clock of its own, which says nothing about the
// time since a request of the other.
func TestFastestRateOverRuns(t *testing.T) {
	at := func(n, run int, at float64) score.Exchange {
		return score.Exchange{N: n, Run: run, Name: fmt.Sprintf("%s2ms, %d", every, n), At: at, Outcome: score.Right}
	}
	const all = "all right up to one request every 2 ms, 500 a second"
	for _, test := range []struct {
		exchanges []score.Exchange
		want      string
	}{
		{[]score.Exchange{at(1, 0, 0), at(2, 0, 2), at(3, 0, 4), at(4, 1, 0.5), at(5, 1, 2.5)}, all},
		{[]score.Exchange{at(1, 0, 0), at(2, 0, 2), at(3, 1, 0.5), at(4, 0, 6), at(5, 0, 8)}, all}, // 3 was in progress
		{[]score.Exchange{at(1, 0, 0), at(2, 1, 0.5)}, ""},
	} {
		if got := fastestRate(test.exchanges); got != test.want {
			t.Errorf("%+v: %q, want %q", test.exchanges, got, test.want)
		}
	}
}

// An agent that keeps up for longer is sent more, and loses some at the end. Its tally
// is no worse for that; a wrong answer counts at every rate.
func TestLoadProbesDoNotCount(t *testing.T) {
	fixed := score.Exchange{Name: "every 20ms, 1", Outcome: score.Right}
	of := func(outcomes ...string) score.Tally {
		r := score.Result{Exchanges: []score.Exchange{fixed}}
		for i, outcome := range outcomes {
			r.Exchanges = append(r.Exchanges, score.Exchange{Name: fmt.Sprintf("%severy 10ms, %d", faster, i+1), Outcome: outcome})
		}
		load().MarkProbes(r.Exchanges)
		r.Sum(nil)
		return r.Tally
	}
	got := of(score.Right, score.Lost, score.Late)
	if got.Sent != 1 || got.Right != 1 || got.Lost+got.Late != 0 || got.Probes != 3 || got.Rate.Value != 1 {
		t.Errorf("requests at a shorter interval count: %+v", got)
	}
	if got := of(score.Wrong); got.Sent != 2 || got.Wrong != 1 || got.Probes != 0 {
		t.Errorf("a wrong answer at a shorter interval does not count: %+v", got)
	}
}
