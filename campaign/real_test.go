package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/campaign/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// buildReal builds tun-mcp once.
var buildReal = sync.OnceValues(func() (string, error) {
	path := filepath.Join(apart, "tun-mcp")
	if out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// useReal makes the field's campaign run the real tun-mcp.
func (f *field) useReal() {
	f.t.Helper()
	var err error
	if f.real, err = buildReal(); err != nil {
		f.t.Fatal(err)
	}
}

// If a client is not installed, its cells are skipped without a retry, and the reason
// has the shell's error.
func TestAbsentRealClient(t *testing.T) {
	f := newField(t, "agents: [{name: a, agent: 'no-such-client {config}'}]\nscenarios: [ping]\nrepetitions: 8\nnetwork: memory\n")
	f.useReal()
	f.begin("start", f.plan).ends(1) // within a minute; retries would take more than two
	for _, r := range f.records() {
		if r.State != record.Failed || !strings.Contains(r.Reason, "not installed on any worker") || !strings.Contains(r.Reason, "no-such-client") || len(r.Tries) > 0 {
			t.Errorf("%+v, want failed without a retry", r)
		}
	}
	if n := len(f.records()); n != 8 {
		t.Errorf("%d records, want 8", n)
	}
}

// For each mistake of the built-in agent, the leaderboard places it below the agent
// without mistakes, and the report names the kind of fault. All figures agree with
// the trials' JSON.
func TestMistakes(t *testing.T) {
	kinds := strings.Split(agent.Mistakes(), ", ")
	program, err := filepath.Abs("../examples/handlers/host.star")
	if err != nil {
		t.Fatal(err)
	}
	plan := fmt.Sprintf("agents:\n  - {name: right, agent: builtin, deadline: 30s}\n  - {name: program, agent: handler, handler: %q, deadline: 30s}\n", program)
	for _, kind := range kinds {
		plan += fmt.Sprintf("  - {name: %s, agent: builtin, mistake: %s}\n", kind, kind)
	}
	f := newField(t, plan+"scenarios: [ping, noise]\ncount: 2\ndeadline: 1s\nnetwork: memory\n")
	f.useReal()
	f.begin("start", f.plan, "--at-once", "13").ends(0) // the trials mostly wait for answers that never come
	records := f.allDone(2 * (2 + len(kinds)))

	own := make(map[string]*score.Tally) // from the trials' JSON
	for _, r := range records {
		found, err := score.Load(f.folder.Trial(r.Cell))
		if err != nil {
			t.Fatal(err)
		}
		if own[r.Agent] == nil {
			own[r.Agent] = &score.Tally{Faults: make(map[string]int)}
		}
		own[r.Agent].Add(found.Total)
	}
	var s report.Summary
	if err := json.Unmarshal([]byte(f.begin("report", f.plan, "--json").ends(0)), &s); err != nil {
		t.Fatal(err)
	}
	for place, e := range s.Entrants {
		want := own[e.Agent]
		if e.Tally.Sent != want.Sent || e.Tally.Right != want.Right || e.Tally.Wrong != want.Wrong || e.Tally.Lost != want.Lost || e.Tally.Late != want.Late {
			t.Errorf("the report has %+[2]v for %[1]s, its trials have %+[3]v", e.Agent, e.Tally, *want)
		}
		if fmt.Sprint(e.Tally.Faults) != fmt.Sprint(want.Faults) {
			t.Errorf("the report has the faults %[2]v for %[1]s, its trials have %[3]v", e.Agent, e.Tally.Faults, want.Faults)
		}
		switch e.Agent {
		case "right", "program":
			if place > 1 || e.Tally.Right != e.Tally.Sent || len(e.Tally.Faults) > 0 {
				t.Errorf("%s has place %d, %d of %d right and the faults %v, want place 1 or 2 and all right", e.Agent, place+1, e.Tally.Right, e.Tally.Sent, e.Tally.Faults)
			}
		default:
			if e.Agent != score.FaultLate { // a busy machine answers late now and then
				delete(e.Tally.Faults, score.FaultLate)
			}
			if place < 2 || e.Tally.Right == e.Tally.Sent || len(e.Tally.Faults) != 1 || e.Tally.Faults[e.Agent] == 0 {
				t.Errorf("%s has place %d, %d of %d right and the faults %v, want that fault alone", e.Agent, place+1, e.Tally.Right, e.Tally.Sent, e.Tally.Faults)
			}
		}
	}

	table := f.begin("report", f.plan, "--html").ends(0)
	page, err := os.ReadFile(f.folder.Report())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		n := own[kind].Faults[kind]
		if want := fmt.Sprintf("faults of %s: %s %d", kind, kind, n); !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
		if want := fmt.Sprintf(`<th>%s</th><td>%s</td><td class="n">%d</td>`, kind, kind, n); !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, d := range s.Differences {
		equal := d.A == "right" && d.B == "program" || d.A == "program" && d.B == "right"
		if first := s.Entrants[0].Label; d.A == first && d.Seen() == equal {
			t.Errorf("significant difference between %s and %s: %v, want %v", d.A, d.B, d.Seen(), !equal)
		}
		if !strings.Contains(table, d.Words()) {
			t.Errorf("the table lacks %q:\n%s", d.Words(), table)
		}
	}
}
