package trial

import (
	"fmt"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// TestFastestRate reads the rate that was sustained from the exchanges of load.
func TestFastestRate(t *testing.T) {
	// right[i] of 4 requests are right at the i-th interval, each half of the one before.
	of := func(right ...int) (all []score.Exchange) {
		for i, interval := range []string{"2s", "1s", "500ms", "250ms"}[:len(right)] {
			prefix := ""
			if i > 0 {
				prefix = faster
			}
			for n := range 4 {
				x := score.Exchange{N: len(all) + 1, Name: fmt.Sprintf("%s%s%s, %d", prefix, every, interval, n+1), Outcome: score.Right}
				if n >= right[i] {
					x.Outcome = score.Lost
				}
				all = append(all, x)
			}
		}
		return all
	}
	for _, test := range []struct {
		right []int
		want  string
	}{
		{nil, ""},
		{[]int{3}, "3 of 4 right at one request every 2 s"},
		{[]int{4}, "all right up to one request every 2 s, 0.5 a second"},
		{[]int{4, 4, 2}, "all right up to one request every 1 s, 1 a second; 2 of 4 right at one every 500 ms"},
		{[]int{4, 4, 4, 4}, "all right up to one request every 250 ms, 4 a second"},
	} {
		if got := fastestRate(of(test.right...)); got != test.want {
			t.Errorf("%v: %q, want %q", test.right, got, test.want)
		}
	}
}
