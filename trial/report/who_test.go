package report

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// The level of a result is the one that was used, not the highest allowed.
func TestAssist(t *testing.T) {
	for _, test := range []struct {
		used     map[string]int
		of, more string
	}{
		{nil, "assist fix", ""},
		{map[string]int{"fix": 3}, "assist fix", ""},
		{map[string]int{"check": 3}, "assist check (fix allowed)", ""},
		{map[string]int{"check": 3, "fix": 1000}, "assist fix", "the agent used assist check for 3 packets, fix for 1,000 packets"},
	} {
		r := &score.Report{Assist: "fix", Total: score.Tally{Assists: test.used}}
		if of, more := assistOf(r), assistUsedOf(r); of != test.of || more != test.more {
			t.Errorf("%v: %q, %q; want %q, %q", test.used, of, more, test.of, test.more)
		}
	}
}
