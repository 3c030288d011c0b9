package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// requestLines returns how often each request was sent, by scenario and number, from
// the lines of a file. A request that is judged again has a second line with the time
// of the first sending.
func requestLines(t *testing.T, path string) map[string]map[int]int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]map[int]int)
	type sent struct {
		scenario string
		n        int
		at       float64
	}
	seen := make(map[sent]bool)
	for _, text := range bytes.SplitAfter(data, []byte("\n")) {
		var line score.Line
		if !bytes.HasSuffix(text, []byte("\n")) || json.Unmarshal(text, &line) != nil || line.Judged == nil {
			continue
		}
		if found[line.Scenario] == nil {
			found[line.Scenario] = make(map[int]int)
		}
		if s := (sent{line.Scenario, line.Judged.N, line.Judged.At}); !seen[s] {
			seen[s] = true
			found[line.Scenario][line.Judged.N]++
		}
	}
	return found
}

// A killed trial loses at most the request in progress. The same file continues it with
// the request after the last one in it.
func TestTrialKilledContinues(t *testing.T) {
	t.Parallel()
	const count = 300
	folder := t.TempDir()
	lines, report := filepath.Join(folder, "trial.jsonl"), filepath.Join(folder, "trial.json")
	c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
	arguments := []string{"trial", "ping", "udp-echo", "--network", "memory", "--count", "300", "--jsonl", lines, "--json", report}
	killed := 0
	for ; killed < 3; killed++ {
		cmd := c.command(arguments...)
		before := 0
		if killed > 0 {
			before = len(requestLines(t, lines)["ping"]) + len(requestLines(t, lines)["udp-echo"])
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "more requests are judged", func() bool {
			if _, err := os.Stat(lines); err != nil {
				return false
			}
			found := requestLines(t, lines)
			return len(found["ping"])+len(found["udp-echo"]) >= min(before+21, 2*count) // on a busy machine it may have ended
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // fails, because it was killed
	}
	kept := requestLines(t, lines)
	if f, err := os.OpenFile(lines, os.O_APPEND|os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if _, err := f.WriteString(`{"type":"request","scen`); err != nil || f.Close() != nil { // as after a crash
		t.Fatal(err)
	}
	if out, err := c.command(arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, err := score.Load(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Scenarios {
		if !r.Passed || r.Tally.Right != count || r.Tally.Sent != count {
			t.Errorf("%s: passed %t, %d of %d right: %s", r.Scenario, r.Passed, r.Tally.Right, r.Tally.Sent, r.Reason)
		}
		for i, x := range r.Exchanges {
			if x.N != i+1 {
				t.Fatalf("%s: exchange %d has the number %d", r.Scenario, i, x.N)
			}
		}
	}
	for scenario, numbers := range requestLines(t, lines) {
		for n, times := range numbers {
			if times != 1 {
				t.Errorf("%s: request %d was sent %d times: it ran again", scenario, n, times)
			}
		}
		if len(numbers) != count {
			t.Errorf("%s: %d requests have lines, want %d", scenario, len(numbers), count)
		}
	}
	for n := range len(kept["ping"]) {
		if kept["ping"][n+1] == 0 {
			t.Errorf("request %d is missing, although the file has later ones", n+1)
		}
	}
	before, _ := os.ReadFile(lines)
	if out, err := c.command(arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after, _ := os.ReadFile(lines); !bytes.Equal(before, after) {
		t.Error("a trial that had ended ran again")
	}
}
