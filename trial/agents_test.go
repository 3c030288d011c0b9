package trial

import (
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/docs"
)

// A model is told what it needs for its scenarios, with as much help as it gets.
func TestPromptHoldsTheGuides(t *testing.T) {
	all := []string{"answer-pings.md", "play-host.md", "play-tcp.md", "play-ip6.md", "no-summary.md", "by-hand.md"}
	for _, test := range []struct {
		scenario, assist string
		want             []string
	}{
		{"ping", "fix", []string{"answer-pings.md"}},
		{"ping", "check", []string{"answer-pings.md"}},
		{"ping", "none", []string{"answer-pings.md", "no-summary.md"}},
		{"ping6", "fix", []string{"answer-pings.md", "play-ip6.md"}},
		{"dns", "fix", []string{"answer-pings.md", "play-host.md", "play-tcp.md"}},
		{"dns", "none", []string{"no-summary.md", "answer-pings.md", "play-host.md", "play-tcp.md", "by-hand.md"}},
		{"dns", "check", []string{"answer-pings.md", "play-host.md", "play-tcp.md", "by-hand.md"}},
	} {
		scenarios, err := Choose([]string{test.scenario})
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Scenarios: scenarios, Assist: test.assist}
		prompt := o.prompt()
		for _, name := range all {
			guide, err := docs.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if has := strings.Contains(prompt, string(guide)); has != slices.Contains(test.want, name) {
				t.Errorf("%s with assist %s: %s is in the prompt: %v", test.scenario, test.assist, name, has)
			}
		}
	}
}
