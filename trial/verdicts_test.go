package trial

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// continueOf runs a trial of one scenario in a running session, with the lines in path.
func continueOf(t *testing.T, path, name string, count int) *score.Report {
	t.Helper()
	client := trialtest.Open(t, tun.Config{}, func(s *session.Session, p session.Delivered) { trialtest.Reply(s, p, 0) })
	chosen, err := scenario.Choose([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Scenarios: chosen, Agent: score.Agent{Kind: subject.Running}, Session: client.Name,
		Settings: score.Settings{Count: count, Interval: 4, Deadline: 5000}}
	if o.Lines, err = score.OpenLines(path, score.Head{}); err != nil {
		t.Fatal(err)
	}
	defer o.Lines.Close()
	found, err := Run(trialtest.Soon(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A continued trial tells its requests from those of earlier runs.
func TestRequestsOfAContinuedTrial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trial.jsonl")
	lines, err := score.OpenLines(path, score.Head{})
	if err != nil {
		t.Fatal(err)
	}
	for n, run := range []int{0, 1} {
		judged := &score.Exchange{N: n + 1, Run: run, Outcome: score.Right}
		if err := lines.Write(score.Line{Type: score.LineRequest, Scenario: "ping", Repeat: 1, Judged: judged}); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	found := continueOf(t, path, "ping", 4)
	for i, want := range []int{0, 1, 2, 2} {
		if x := found.Scenarios[0].Exchanges[i]; x.N != i+1 || x.Run != want {
			t.Errorf("request %d is of run %d, want %d of run %d", x.N, x.Run, i+1, want)
		}
	}
}

// A trial that had ended gives the same report again, without a session.
func TestEndedTrialAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trial.jsonl")
	first := continueOf(t, path, "ping", 3)
	again := continueOf(t, path, "ping", 3)
	if again.Network != tun.NetworkMemory || again.Network != first.Network || again.Session != first.Session || again.Assist != "fix" || again.Assist != first.Assist {
		t.Errorf("network %q, session %q, assist %q; at first %q, %q, %q",
			again.Network, again.Session, again.Assist, first.Network, first.Session, first.Assist)
	}
}

// Probes stay probes when a trial that had ended runs again.
func TestProbesOfAnEndedTrial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trial.jsonl")
	first := continueOf(t, path, "load", 3)
	again := continueOf(t, path, "load", 3)
	if n := first.Total.Probes; n == 0 || n != len(first.Scenarios[0].Exchanges)-3 || n != again.Total.Probes {
		t.Errorf("%d probes at first, then %d, among %d requests", n, again.Total.Probes, len(first.Scenarios[0].Exchanges))
	}
	if a, b := first.Scenarios[0].Exchanges, again.Scenarios[0].Exchanges; !reflect.DeepEqual(a, b) {
		t.Errorf("the exchanges differ:\n%+v\n%+v", a, b)
	}
	lines, err := score.OpenLines(path, score.Head{})
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	if judged := lines.Past("load", 1).Judged; judged[3].Probe || !judged[4].Probe {
		t.Errorf("in the lines, request 3 is a probe: %t, and 4: %t; want only 4", judged[3].Probe, judged[4].Probe)
	}
}
