package subject

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/docs"
)

// The prompt has the guides that fit the scenarios and the assist.
func TestPromptHasTheGuides(t *testing.T) {
	all := []string{"answer-pings.md", "play-host.md", "play-tcp.md", "play-ip6.md", "no-summary.md", "by-hand.md", "write-handler.md"}
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
		o := Config{Programs: test.scenario == "dns", IPv6: test.scenario == "ping6", Assist: test.assist}
		prompt := o.Prompt()
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

// If the model may install handlers, the prompt says so and explains how.
func TestPromptOfHandlers(t *testing.T) {
	guide, err := docs.Files.ReadFile("write-handler.md")
	if err != nil {
		t.Fatal(err)
	}
	with, without := (&Config{Handlers: true}).Prompt(), (&Config{}).Prompt()
	if !strings.Contains(with, string(guide)) || !strings.Contains(with, "install_handler") || strings.Contains(with, "write no program") {
		t.Error("with handlers the prompt does not explain them, or forbids programs")
	}
	if strings.Contains(without, "handler") || !strings.Contains(without, "write no program") {
		t.Error("without handlers the prompt mentions them, or does not forbid programs")
	}
}

// A model keeps reading for longer than the trial waits after a request without an
// answer: two deadlines.
func TestPromptOutlastsALostRequest(t *testing.T) {
	said := regexp.MustCompile(`after (\d+) reads in a row, each with timeout_ms (\d+),`)
	for _, deadline := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 2 * time.Minute, time.Hour} {
		o := Config{Deadline: deadline}
		m := said.FindStringSubmatch(o.Prompt())
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
