package trial

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/trial/score"
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

// A model goes on reading for longer than a request that it did not answer
// keeps the trial waiting: until its deadline, and once more for stragglers.
func TestPromptOutlastsALostRequest(t *testing.T) {
	said := regexp.MustCompile(`after (\d+) reads in a row, each with timeout_ms (\d+),`)
	for _, deadline := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 2 * time.Minute, time.Hour} {
		o := Options{Settings: score.Settings{Deadline: score.Milliseconds(deadline)}}
		m := said.FindStringSubmatch(o.prompt())
		if m == nil {
			t.Fatal("the prompt does not say when to stop")
		}
		reads, _ := strconv.Atoi(m[1])
		ms, _ := strconv.Atoi(m[2])
		if idle := time.Duration(reads*ms) * time.Millisecond; idle <= 2*deadline {
			t.Errorf("deadline %v: the agent leaves after %v", deadline, idle)
		}
	}
}
