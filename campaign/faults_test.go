//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

const slowPlan = `
agents: [{name: slow, agent: "{config} slow 300ms"}, {name: wrong, agent: "{config} wrong"}]
scenarios: [ping, dns]
repetitions: 4
limits: {parallel: 2, wait: 100ms}
`

// alive returns the process ids of trials that are still running.
func (f *field) alive() []string {
	data, err := os.ReadFile(filepath.Join(f.home, "trial"))
	if err != nil {
		return nil
	}
	var alive []string
	for pid := range strings.FieldsSeq(string(data)) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			f.t.Fatal(err)
		}
		if syscall.Kill(n, 0) == nil {
			if line, err := os.ReadFile("/proc/" + pid + "/cmdline"); err != nil || strings.Contains(string(line), "trial") {
				alive = append(alive, pid)
			}
		}
	}
	return alive
}

// noneAlive waits until no trial is running.
func (f *field) noneAlive() {
	f.t.Helper()
	await(f.t, "no trial is running", func() bool { return len(f.alive()) == 0 })
}

func TestStart(t *testing.T) {
	f := newField(t, slowPlan)
	f.begin("start", f.plan).ends(0)
	records := f.allDone(16)
	for agent, limit := range map[string]int{"slow": 2, "wrong": 2} {
		if n := most(records, agent); n > limit {
			t.Errorf("%d trials of %s ran at once, want at most %d", n, agent, limit)
		}
	}
	table := f.begin("report", f.plan, "--html").ends(0)
	for _, want := range []string{"16 of 16 cells have ended: 16 done", "slow        24/24   100 %", "wrong        8/24", "payload 16", "slow is better than wrong by 66.7"} {
		if !strings.Contains(table, want) {
			t.Errorf("the report lacks %q:\n%s", want, table)
		}
	}
	page, err := os.ReadFile(f.folder.Report())
	if err != nil || !strings.Contains(string(page), `href="trials/slow_ping_fix_1.html"`) {
		t.Errorf("the page links to no trial: %v", err)
	}
	if _, err := os.Stat(f.folder.Page("slow_ping_fix_1")); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		args []string
		rows int
	}{{nil, 17}, {[]string{"--requests"}, 49}, {[]string{"--format", "jsonl"}, 16}} {
		if out := f.begin(append([]string{"export", f.plan}, c.args...)...).ends(0); strings.Count(out, "\n") != c.rows {
			t.Errorf("export %v has %d lines, want %d", c.args, strings.Count(out, "\n"), c.rows)
		}
	}
	if out := f.begin("status", f.plan).ends(0); !strings.Contains(out, "done: 16 of 16 done") {
		t.Errorf("status says %s", out)
	}
}

// After Ctrl-C, a start waits for the running trials and exits. The next start
// continues. A second start at the same time, and one with a changed plan, are
// refused.
func TestStopAndGoOn(t *testing.T) {
	f := newField(t, slowPlan)
	first := f.begin("start", f.plan)
	f.ended(2)
	second := f.begin("start", f.plan)
	if out := second.ends(1); !strings.Contains(out, "another start is running") {
		t.Errorf("a second start says %s", out)
	}
	first.interrupt()
	if out := first.ends(1); !strings.Contains(out, "start again to continue") {
		t.Errorf("an interrupted start says %s", out)
	}
	f.noneAlive()
	before := len(f.records())
	if before == 16 {
		t.Fatal("all cells had ended before the interrupt")
	}
	f.write(strings.Replace(slowPlan, "repetitions: 4", "repetitions: 5", 1))
	if out := f.begin("start", f.plan).ends(1); !strings.Contains(out, "the plan was changed") {
		t.Errorf("a start with another plan says %s", out)
	}
	f.write(strings.Replace(slowPlan, "parallel: 2", "parallel: 3", 1))
	f.begin("start", f.plan).ends(0)
	f.allDone(16)
}

// A start that is killed takes its embedded server and its trials with it. In the
// end every cell has one verdict.
func TestKillStart(t *testing.T) {
	f := newField(t, slowPlan)
	for range 2 {
		start := f.begin("start", f.plan, "--lease", "1s")
		await(t, "a trial is running", func() bool { return len(f.alive()) > 0 })
		f.ended(2)
		if err := start.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-start.ended
		f.noneAlive()
	}
	f.begin("start", f.plan, "--lease", "1s").ends(0)
	f.allDone(16)
}

func TestCancel(t *testing.T) {
	f := newField(t, strings.Replace(slowPlan, "slow 300ms", "slow 30s", 1))
	start := f.begin("start", f.plan)
	f.ended(2)
	if out := f.begin("cancel", f.plan).ends(0); !strings.Contains(out, "never ran") {
		t.Errorf("cancel says %s", out)
	}
	start.ends(1)
	f.noneAlive()
	cancelled := 0
	for _, r := range f.records() {
		if r.State == record.Cancelled {
			cancelled++
		}
	}
	if len(f.records()) != 16 || cancelled < 8 {
		t.Errorf("%d records, %d cancelled, want 16 and at least the 8 slow ones", len(f.records()), cancelled)
	}
	if out := f.begin("start", f.plan).ends(1); !strings.Contains(out, "was cancelled") {
		t.Errorf("a start after cancel says %s", out)
	}
}

// A hanging trial is stopped and tried again. If it hangs every time, its cell could
// not run.
func TestHangingTrial(t *testing.T) {
	f := newField(t, `
agents: [{name: once, agent: "{config} hangs-once"}, {name: always, agent: "{config} hangs"}]
scenarios: [ping]
limits: {trial: 2s, wait: 50ms}
`)
	f.begin("start", f.plan).ends(1)
	f.noneAlive()
	for _, r := range f.records() {
		switch {
		case r.Agent == "once" && (r.State != record.Done || len(r.Tries) == 0):
			t.Errorf("%+v, want done after a retry", r)
		case r.Agent == "always" && (r.State != record.Failed || len(r.Tries) != 3 || !strings.Contains(r.Reason, "took longer than 2s")):
			t.Errorf("%+v, want failed after three retries", r)
		}
	}
}

// The cells of a client that is not installed are given up, and so are those of an
// agent that fails a few times. The other agents' cells run.
func TestAbsentClient(t *testing.T) {
	const absent = `
agents: [{name: absent, agent: "{config} absent"}, {name: refused, agent: "{config} refused"}, {name: wrong, agent: "{config} wrong"}]
scenarios: [ping]
repetitions: 20
limits: {wait: 10ms}
`
	f := newField(t, absent)
	f.begin("start", f.plan).ends(1)
	counts := make(map[string]int)
	for _, r := range f.records() {
		counts[r.Agent+" "+r.State]++
	}
	if counts["absent failed"] != 20 || counts["refused failed"] != 20 || counts["wrong done"] != 20 {
		t.Errorf("the cells ended as %v, want 20 of each agent: two failed, one done", counts)
	}
	trials, err := os.ReadFile(filepath.Join(f.home, "trial"))
	if n := strings.Count(string(trials), "\n"); err != nil || n > 20+4*20-20 {
		t.Errorf("%d trials ran, %v: the start did not give up on absent", n, err)
	}
	if table := f.begin("report", f.plan).ends(0); !strings.Contains(table, "could not run:") || !strings.Contains(table, "absent: not found") {
		t.Errorf("the report says %s", table)
	}
}

// The campaign waits for a provider that has too many requests for a minute. That
// does not count as a failed try.
func TestTooManyRequests(t *testing.T) {
	f := newField(t, fmt.Sprintf(`
agents: [{name: busy, agent: "{config} busy %v"}]
scenarios: [ping]
repetitions: 4
limits: {wait: %v}
`, tuntest.Long(time.Second, time.Minute), tuntest.Long(50*time.Millisecond, 10*time.Second)))
	start := f.begin("start", f.plan)
	start.says("the provider has too many requests")
	select {
	case <-start.ended:
	case <-time.After(4 * time.Minute):
		t.Fatalf("the campaign is still waiting:\n%s", start.said.text())
	}
	start.ends(0)
	waits := 0
	for _, r := range f.allDone(4) {
		waits += r.Waits
		if r.Waits > 8 || len(r.Tries) != 0 {
			t.Errorf("%s has %d waits and %d tries, want a few and none", r.Cell, r.Waits, len(r.Tries))
		}
	}
	if waits == 0 { // on a busy machine, a cell may begin after the provider has recovered
		t.Error("no cell waited")
	}
	if s, err := f.folder.Status(); err != nil || s.CostUSD != float64(waits)/2 {
		t.Errorf("%d refused attempts of $0.50 cost $%v, %v", waits, s.CostUSD, err)
	}
}

// A campaign stops at its limits, and continues when they are raised.
func TestLimits(t *testing.T) {
	const costs = `
agents: [{name: costs, agent: "{config} costs"}]
scenarios: [ping]
repetitions: 30
limits: {parallel: 1, cost: 2}
`
	f := newField(t, costs)
	if out := f.begin("start", f.plan).ends(1); !strings.Contains(out, "the plan's limit is reached: $2.00 of $2.00") {
		t.Errorf("the start says %s", out)
	}
	if n := len(f.records()); n < 4 || n > 6 {
		t.Errorf("%d cells of $0.50 ended with a limit of $2, want 4 to 6", n)
	}
	f.write(strings.Replace(costs, "cost: 2", "cost: 200", 1))
	f.begin("start", f.plan).ends(0)
	f.allDone(30)
	if table := f.begin("report", f.plan).ends(0); !strings.Contains(table, "$15.00") {
		t.Errorf("the report says %s", table)
	}
	g := &field{t: t, home: t.TempDir()}
	g.plan = filepath.Join(g.home, "p.yaml")
	g.folder = record.FolderOf(g.plan)
	g.write(strings.NewReplacer("limits: {", "limits: {minutes: 0.02, ", "repetitions: 4", "repetitions: 40").Replace(slowPlan))
	began := time.Now()
	if out := g.begin("start", g.plan).ends(1); !strings.Contains(out, "0.02 minutes") || time.Since(began) < time.Second {
		t.Errorf("after %v the start says %s", time.Since(began), out)
	}
	g.begin("cancel", g.plan).ends(0)
	s, err := g.folder.Status()
	if err != nil || s.Ended() != s.Cells || s.Cancelled == 0 {
		t.Errorf("after cancel %d of %d cells have ended, %v", s.Ended(), s.Cells, err)
	}
	for _, a := range s.Agents {
		if a.Ended != a.Cells || a.Running > 0 {
			t.Errorf("after cancel the status has %+v", a)
		}
	}
}
