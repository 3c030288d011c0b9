package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

func TestProgressPlain(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, 0)
	for _, r := range newSample(1).report(claude, "fix", 20, pings(20, slow), pings(0, slow)).Scenarios {
		p.Begin(r.Scenario)
		for i, e := range r.Exchanges {
			if i == 4 {
				e.Outcome = score.Lost
			}
			p.Add(e)
		}
		p.End(r)
	}
	p.Begin(evil)
	p.End(score.Result{Scenario: evil, Reason: evil})
	harmless(t, out.String())
	golden(t, "progress.txt", out.String())
}

// A reason that several scenarios have is printed once.
func TestProgressSameReason(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, 0)
	for _, name := range []string{"ping", "load", "dns"} {
		p.End(score.Result{Scenario: name, Skipped: true, Reason: "no claude"})
	}
	p.End(score.Result{Scenario: "http", Skipped: true, Reason: "no IPv6"})
	if want := "ping: skipped, no claude\nload: skipped, as above\ndns: skipped, as above\nhttp: skipped, no IPv6\n"; out.String() != want {
		t.Errorf("it printed\n%swant\n%s", &out, want)
	}
}

// The live line is redrawn at most every 100 ms, and a shorter line erases the longer one
// before.
func TestProgressLive(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := NewProgress(&out, 40)
	p.live, p.now = true, func() time.Time { return now }
	p.Begin("load")
	for range 999 {
		now = now.Add(time.Millisecond)
		p.Add(score.Exchange{Outcome: score.Wrong})
	}
	if n := strings.Count(out.String(), "\r"); n != 10 {
		t.Errorf("drawn %d times, want 10", n)
	}
	p.End(score.Result{Scenario: "load", Passed: true})
	p.Begin("ping")
	p.End(score.Result{Scenario: "ping", Reason: strings.Repeat("long ", 20)})
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines: %q", len(lines), out.String())
	}
	drawings := strings.Split(lines[0], "\r")
	if got := drawings[len(drawings)-1]; !strings.HasPrefix(got, "load: passed   ") {
		t.Errorf("the last drawing: %q", got)
	}
	for _, drawing := range strings.FieldsFunc(out.String(), func(c rune) bool { return c == '\r' || c == '\n' }) {
		if textWidth(drawing) > 39 {
			t.Errorf("%d columns: %q", textWidth(drawing), drawing)
		}
	}
}

func TestProgressNil(*testing.T) {
	var p *Progress
	p.Begin("ping")
	p.Add(score.Exchange{})
	p.End(score.Result{})
}
