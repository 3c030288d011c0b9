package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

func compare(t *testing.T, names []string, reports ...*score.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteComparison(&out, reports, names); err != nil {
		t.Fatal(err)
	}
	harmless(t, out.String())
	return out.String()
}

func TestWriteComparison(t *testing.T) {
	all := samples()
	golden(t, "compare-unlike.txt", compare(t, []string{"a.json", "b.json"}, all["ten"], all["lost"], all["thousand"]))

	other := newSample(8).report(score.Agent{Kind: "claude", Name: "claude", Model: "claude-example-2"}, "none", 10, pings(10, slow))
	golden(t, "compare-alike.txt", compare(t, nil, all["lost"], other))

	compare(t, []string{evil, evil}, all["hostile"], all["zero"], all["hostile"])
	if err := WriteComparison(&bytes.Buffer{}, []*score.Report{all["ten"]}, nil); err == nil || !strings.Contains(err.Error(), "at least two") {
		t.Errorf("one report: %v", err)
	}
}

func TestDifferences(t *testing.T) {
	base := func() *score.Report { return newSample(8).report(claude, "fix", 3, pings(3, slow)) }
	for _, c := range []struct {
		what   string
		change func(*score.Report)
		times  bool
	}{
		{"", func(*score.Report) {}, false},
		{"", func(r *score.Report) { r.Agent = builtin }, false},
		{"assist", func(r *score.Report) { r.Assist = "none" }, false},
		{"handlers", func(r *score.Report) { r.Handlers = true }, false},
		{"handlers", func(r *score.Report) { r.Handler = &score.Handler{Versions: 1} }, false},
		{"handlers", func(r *score.Report) { r.Agent = score.Agent{Kind: "handler", Name: "handler tcp.star"} }, false},
		{"seed", func(r *score.Report) { r.Settings.Seed++ }, false},
		{"count", func(r *score.Report) { r.Settings.Count++ }, false},
		{"interval", func(r *score.Report) { r.Settings.Interval = 20 }, false},
		{"deadline", func(r *score.Report) { r.Settings.Deadline = 20 }, false},
		{"network", func(r *score.Report) { r.Network = "memory" }, false},
		{"scenarios", func(r *score.Report) { r.Scenarios = nil }, false},
		{"tun-mcp", func(r *score.Report) { r.Program = "0.2.0" }, false},
		{"ended early", func(r *score.Report) { r.Cut = "interrupted" }, false},
		{"machine", func(r *score.Report) { r.System = "darwin/arm64, 8 processors" }, true},
	} {
		other := base()
		c.change(other)
		answers, times := differences([]*score.Report{base(), other})
		got := append(answers, times...)
		switch {
		case c.what == "" && len(got) == 0:
		case len(got) != 1 || got[0].what != c.what || c.times != (len(times) == 1):
			t.Errorf("%s: %+v, %+v", c.what, answers, times)
		}
	}
}
