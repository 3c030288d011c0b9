package trial

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Every cell is in exactly one shard, even with more shards than cells.
func TestShardsShareTheCells(t *testing.T) {
	all, err := scenario.Choose([]string{"ping", "dns", "http"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 4, 7, 20} {
		seen := make(map[string]int)
		for i := range n {
			t.Setenv(indexVariable, fmt.Sprint(i))
			shard, err := ParseShard(fmt.Sprintf("/%d", n))
			if given, _ := ParseShard(fmt.Sprintf("%d/%d", i+1, n)); err != nil || shard != given {
				t.Errorf("ParseShard(/%d) with index %d: %v, %v, want %v", n, i, shard, err, given)
			}
			o := Options{Scenarios: all, Settings: score.Settings{Repeat: 4}, Shard: shard}
			for _, c := range o.cells() {
				seen[fmt.Sprint(c.Name, c.repeat)]++
			}
			if o.Empty() != (i >= 12) {
				t.Errorf("shard %d of %d: empty is %t", i+1, n, o.Empty())
			}
		}
		for c, times := range seen {
			if times != 1 {
				t.Errorf("%d shards: %s runs %d times", n, c, times)
			}
		}
		if len(seen) != 12 {
			t.Errorf("%d shards: %d cells run", n, len(seen))
		}
	}
}

func TestShardFaults(t *testing.T) {
	t.Setenv(indexVariable, "3")
	for _, text := range []string{"0/2", "3/2", "1", "1/0", "a/2", "1/b", "/3", "/", "-1/2"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("ParseShard(%q) = %v, want an error", text, s)
		}
	}
	t.Setenv(indexVariable, "")
	if _, err := ParseShard("/3"); err == nil {
		t.Error("ParseShard(/3) without an index: no error")
	}
}

// A trial may continue another one that had fewer or more repetitions.
func TestContinueWithOtherRepetitions(t *testing.T) {
	chosen, err := scenario.Choose([]string{"ping"})
	if err != nil {
		t.Fatal(err)
	}
	first := cell{chosen[0], 1}
	for _, before := range []int{0, 3} {
		after := 3 - before
		path := filepath.Join(t.TempDir(), "trial.jsonl")
		o := Options{Scenarios: chosen, Settings: score.Settings{Repeat: before}}
		if o.Lines, err = score.OpenLines(path, score.Head{}); err != nil {
			t.Fatal(err)
		}
		v := verdicts{o: &o, cell: first}
		v.line(score.Line{Type: score.LineRequest, Judged: &score.Exchange{N: 1, Outcome: score.Right, Repeat: min(before, 1)}})
		r := score.Result{Scenario: "ping", Passed: true, Tally: score.Tally{Sent: 1, Right: 1}, Reward: new(1.0)}
		if before > 0 {
			r.Repeats = []score.Repeat{o.repetition(first, r)}
		}
		v.end(r, score.Link{})
		if err := o.Lines.Close(); err != nil {
			t.Fatal(err)
		}

		o.Settings.Repeat = after
		if o.Lines, err = score.OpenLines(path, score.Head{}); err != nil {
			t.Fatal(err)
		}
		defer o.Lines.Close()
		r, ok := o.recall(first)
		if !ok || len(r.Exchanges) != 1 || r.Exchanges[0].Repeat != min(after, 1) || len(r.Repeats) != min(after, 1) {
			t.Errorf("from %d to %d repetitions: %+v", before, after, r)
		} else if after > 0 && r.Repeats[0] != (score.Repeat{Repeat: 1, Passed: true, Sent: 1, Right: 1, Reward: 1}) {
			t.Errorf("from %d to %d repetitions: %+v", before, after, r.Repeats)
		}
	}
}
