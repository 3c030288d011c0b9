package report

import (
	"os"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

func TestFormatTime(t *testing.T) {
	for ms, want := range map[float64]string{
		0: "0 ms", 1e-9: "<0.001 ms", 0.00123: "0.0012 ms", 0.0312: "0.031 ms", 0.07: "0.070 ms", 0.271: "0.27 ms", 0.9999: "1.00 ms",
		3.4159: "3.42 ms", 9.996: "10.0 ms", 37: "37.0 ms", 99.96: "100 ms", 911.2: "911 ms", 999.6: "1.00 s", 1840: "1.84 s", 42600: "42.6 s",
		192e3: "192 s", 754e3: "12.6 min", 40e6: "11.1 h", -5: "-5.00 ms", 1e300: "2.78e+293 h",
	} {
		if got := ladder.Time(ms); got != want {
			t.Errorf("%g: %q, want %q", ms, got, want)
		}
	}
}

// docs/trial.md explains lost in the same words.
func TestMeaningOfLost(t *testing.T) {
	page, err := os.ReadFile("../../docs/trial.md")
	if err != nil {
		t.Fatal(err)
	}
	if meaning := faultMeanings[score.FaultLost]; !strings.Contains(strings.Join(strings.Fields(string(page)), " "), "**lost** ("+meaning+")") {
		t.Errorf("docs/trial.md does not explain lost as %q", meaning)
	}
}

func TestFormatShare(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1: "100 %", 0.5: "50.0 %", 0.9996: ">99.9 %", 0.0001: "<0.1 %", 0.999: "99.9 %", -1: "0 %", 7: "100 %"} {
		if got := Share(share); got != want {
			t.Errorf("%g: %q, want %q", share, got, want)
		}
	}
	if got, want := Interval(score.Rate{Low: 0.7225, High: 1}), "72.2–100 %"; got != want {
		t.Errorf("interval: %q, want %q", got, want)
	}
}

func TestFormatCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := ladder.Count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestWrapText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"one two three", "one two\n  three"},
		{"  a b c d e f g", "  a b c d\n  e f g"},
		{"123456789012345 x", "1234567890\n  12345 x"},
		{"ab 123456789012345", "ab\n  12345678\n  9012345"},
	} {
		if got := Wrap(c.in, 10, 2); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestUsageText(t *testing.T) {
	for _, c := range []struct {
		usage *score.Usage
		want  string
	}{
		{nil, ""}, {&score.Usage{}, ""}, {&score.Usage{Turns: 2}, "2 turns"},
		{&score.Usage{Turns: 12, InputTokens: 1000, OutputTokens: 20, CostUSD: 0.0123}, "12 turns, 1,000 tokens in, 20 out, $0.0123"},
	} {
		if got := usageOf(c.usage); got != c.want {
			t.Errorf("%+v: %q, want %q", c.usage, got, c.want)
		}
	}
}
