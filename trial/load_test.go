package trial

import (
	"fmt"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// TestFastestRate reads the rate that was sustained from the exchanges of load:
// from when they were sent, not from when they should have been.
func TestFastestRate(t *testing.T) {
	// right[i] of n requests are right at the i-th interval, each half of the one before.
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
