package score

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Only the same trial continues a file of lines.
func TestLinesContinueOneTrial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trial.jsonl")
	head := Head{Version: Version, Agent: Agent{Name: "builtin"}, Assist: "fix", Settings: Settings{Count: 3, Seed: 1}}
	l, err := OpenLines(path, head)
	if err != nil {
		t.Fatal(err)
	}
	for n, outcome := range []string{Right, Lost, Right} {
		if err := l.Write(Line{Type: LineRequest, Scenario: "ping", Repeat: 1, Judged: &Exchange{N: n + 1, Outcome: outcome}, Cost: &Tally{Calls: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Write(Line{Type: LineRequest, Scenario: "ping", Repeat: 1, Judged: &Exchange{N: 2, Outcome: Late}, Cost: &Tally{Calls: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, `{"type":"scenario","scenario":"ping","res`...), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err = OpenLines(path, head)
	if err != nil {
		t.Fatal(err)
	}
	past := l.Past("ping", 1)
	if len(past.Judged) != 3 || past.Judged[2].Outcome != Late || past.Cost.Calls != 7 || past.Result != nil {
		t.Errorf("%+v", past)
	}
	if other := l.Past("ping", 2); len(other.Judged) > 0 {
		t.Errorf("another repetition has %+v", other)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(whole) {
		t.Errorf("the incomplete line is still there: %q", now[len(whole):])
	}
	for _, other := range []func(*Head){func(h *Head) { h.Handlers = true }, func(h *Head) { h.Handler = "af51" }} {
		now := head
		other(&now)
		if l, err := OpenLines(path, now); err == nil || !strings.Contains(err.Error(), "it holds another trial: ") {
			t.Errorf("%+v continues %+v: %v, %v", now, head, l, err)
		}
	}
	head.Settings.Count = 4
	if _, err := OpenLines(path, head); err == nil || !strings.Contains(err.Error(), "--count was 3 and is now 4") {
		t.Error(err)
	}
}

// OpenLines leaves a file alone that holds something else.
func TestLinesKeepOtherFiles(t *testing.T) {
	for _, text := range []string{"my thesis\n", "my thesis", "{}\n", `{"type":"request"}` + "\n", `{"type":"trial"}` + "\n", "\n"} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if l, err := OpenLines(path, Head{Version: Version}); err == nil {
			l.Close()
			t.Errorf("OpenLines accepts %q", text)
		}
		if now, _ := os.ReadFile(path); string(now) != text {
			t.Errorf("OpenLines changed %q to %q", text, now)
		}
	}
}

// Several repetitions give one result.
func TestJoin(t *testing.T) {
	of := func(repeat int, passed bool, outcomes ...string) Result {
		r := Result{Scenario: "ping", Passed: passed}
		for i, outcome := range outcomes {
			r.Exchanges = append(r.Exchanges, Exchange{N: i + 1, Repeat: repeat, Outcome: outcome, Response: 1})
		}
		r.Sum(nil)
		r.Scored(r.Tally.Right, r.Tally.Sent, 4)
		r.Repeats = []Repeat{{Repeat: repeat, Passed: passed, Reward: *r.Reward}}
		return r
	}
	var found Report
	found.Add(of(1, true, Right, Right, Right, Right))
	found.Add(of(2, false, Right, Lost)) // ended after two of four
	never := Result{Scenario: "ping", Skipped: true, Reason: "the session ended", Repeats: []Repeat{{Repeat: 3}}}
	never.Unreached()
	found.Add(never)
	found.Finish()
	r := found.Scenarios[0]
	if len(found.Scenarios) != 1 || r.Passed || r.Tally.Sent != 6 || r.Tally.Right != 5 || r.Response.N != 6 || len(r.Repeats) != 3 {
		t.Errorf("%+v", r)
	}
	if want := (1 + 0.25 + 0) / 3; found.Reward != want || *r.Reward != want {
		t.Errorf("reward %v and %v, want %v", found.Reward, *r.Reward, want)
	}
	if !found.Has("ping", 3) || found.Has("ping", 4) || found.Has("dns", 1) {
		t.Error("Has does not report exactly the repetitions that ran")
	}
}
