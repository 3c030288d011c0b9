package worker

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A trial can be done, whatever its score; impossible; to be tried again; or to be
// tried again after a wait for the provider.
func TestJudge(t *testing.T) {
	played := func(cut string, right, wrong int) *score.Report {
		r := &score.Report{Version: score.Version, Program: "p", Cut: cut}
		result := score.Result{Scenario: "ping", Passed: wrong == 0 && cut == ""}
		for i := range right + wrong {
			x := score.Exchange{N: i + 1, Outcome: score.Right}
			if i >= right {
				x.Outcome, x.Faults = score.Wrong, []string{score.FaultPayload}
			}
			result.Exchanges = append(result.Exchanges, x)
		}
		result.Skipped = right+wrong == 0
		result.Sum(nil)
		r.Scenarios = []score.Result{result}
		r.Total.Add(result.Tally)
		return r
	}
	skipped := played("", 0, 0)
	skipped.Scenarios[0].Reason = "the link has no IPv6"
	longTrial := played("the agent ended before the end", 1, 2)
	longTrial.Scenarios[0].Reason = "seq 429: wrong (byte 0 of the data is 0xc0, should be 0xc1)"
	told := played("the agent ended", 0, 0)
	told.Scenarios[0].Reason = "its last words: 529 overloaded_error"
	for _, c := range []struct {
		name          string
		report        *score.Report
		text          string // of the report's file; used if report is nil
		status        int
		said          string
		state         string // "" means not ended
		reason, retry string
		busy, stopped bool
		absent        bool
		right         int
	}{
		{name: "all right", report: played("", 3, 0), state: record.Done, right: 3},
		{name: "wrong answers", report: played("", 1, 2), status: 1, state: record.Done, right: 1},
		{name: "wrong usage", status: 2, said: "there is no agent x", state: record.Failed, reason: "tun-mcp refused it: there is no agent x"},
		{name: "a crash", status: 2, said: "/usr/local/go/src/runtime/asm_amd64.s:373 +0x123 fp=0x7fff9d166048", retry: "tun-mcp crashed: "},
		{name: "no report", status: 1, said: "panic: oh", retry: "panic: oh"},
		{name: "no report and no output", status: 7, retry: "tun-mcp ended with status 7 and wrote no report"},
		{name: "a full disk", status: 1, said: "write report.json: no space left on device", retry: "no space left", stopped: true},
		{name: "an incomplete report", text: `{"version":`, retry: "reading the trial's report: "},
		{name: "a scenario that the link cannot carry", report: skipped, state: record.Failed, reason: "the link has no IPv6"},
		{name: "no scenario", report: &score.Report{Version: score.Version}, state: record.Failed, reason: "it ran no scenario"},
		{name: "a client that is not installed", report: played("the agent ended before it started the server: exit status 127; last output: sh: x: not found", 0, 0), status: 1, retry: "x: not found", absent: true},
		{name: "Claude Code that is not installed", report: played("claude is not on PATH: install it", 0, 0), status: 1, retry: "install it", absent: true},
		{name: "a client that started and ended", report: played("the agent ended before it started the server: exit status 1; last output: 127", 0, 0), status: 1, retry: "exit status 1"},
		{name: "a client that crashed in the middle", report: played("the agent ended: exit status 3", 1, 2), status: 1, retry: "exit status 3"},
		{name: "a client that was killed", report: played("the agent ended: signal: killed", 1, 2), status: 1, retry: "signal: killed"},
		{name: "an agent that gave up in the middle", report: played("the agent ended before the end", 1, 2), status: 1, state: record.Done, right: 1},
		{name: "429", report: played("the agent ended: API Error: 429", 1, 2), status: 1, retry: "429", busy: true},
		{name: "a rate limit", report: played("the agent ended: Rate-limit reached", 0, 0), status: 1, retry: "Rate-limit", busy: true},
		{name: "overloaded, in a scenario's reason", report: told, status: 1, retry: "the agent ended", busy: true},
		{name: "a wrong answer to request 429", report: longTrial, status: 1, state: record.Done, right: 1},
		{name: "a number that contains 429", report: played("the agent ended: 14290 tokens; exit status 1", 0, 0), status: 1, retry: "14290"},
	} {
		file := filepath.Join(t.TempDir(), "report.json")
		if c.report != nil {
			if err := c.report.Save(file); err != nil {
				t.Fatal(err)
			}
		} else if c.text != "" {
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var o outcome
		o.judge(file, c.status, c.said)
		if o.record.State != c.state || !strings.Contains(o.record.Reason, c.reason) || !strings.Contains(o.retry, c.retry) || (c.retry == "") != (o.retry == "") ||
			o.busy != c.busy || o.absent != c.absent || o.stopped != c.stopped || c.state == record.Done && (o.record.Right != c.right || len(o.report) == 0) {
			t.Errorf("%s: %+v, retry %q, busy %v, stopped %v", c.name, o.record, o.retry, o.busy, o.stopped)
		}
	}
}

// shell returns a worker whose tun-mcp is a shell command.
func shell(t *testing.T) *Worker {
	t.Helper()
	tuntest.RequireProgram(t, "sh")
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	return &Worker{Name: "w", Program: path, Folder: t.TempDir()}
}

// A trial has its own folder, with the handler's program, and leaves nothing behind.
func TestPlay(t *testing.T) {
	w := shell(t)
	o := w.play(t.Context(), plan.Cell{ID: "a", Handler: "../tcp.star", Longest: time.Minute,
		Args: []string{"-c", `echo "tun-mcp: $0 $2 $(cat "$3")" >&2; exit 2`}}, []byte("def handle(p): pass"))
	// The shell's $0 is --json, its $2 --handler.
	if o.record.State != record.Failed || !strings.HasSuffix(o.record.Reason, "--json --handler def handle(p): pass") || o.record.Worker != "w" || o.record.Started.IsZero() {
		t.Errorf("%+v", o.record)
	}
	if left, err := os.ReadDir(w.Folder); err != nil || len(left) > 0 {
		t.Errorf("the folder still has %v, %v", left, err)
	}
}

// A trial is stopped if it takes too long, or if its cell is lost.
func TestCommandEnds(t *testing.T) {
	w := shell(t)
	hangs := []string{"-c", `trap 'echo ended by a signal >&2; exit 3' INT TERM; echo "$$" >"$0"; while :; do sleep 0.1; done`}
	began := filepath.Join(t.TempDir(), "began")
	if _, said, err := w.command(t.Context(), append(slices.Clone(hangs), began), time.Second); !errors.Is(err, context.DeadlineExceeded) || said != "ended by a signal" {
		t.Errorf("with a limit of a second: %q, %v", said, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began = filepath.Join(t.TempDir(), "began")
	ended := make(chan string, 1)
	go func() {
		_, said, _ := w.command(ctx, append(slices.Clone(hangs), began), time.Minute)
		ended <- said
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if data, err := os.ReadFile(began); err == nil && len(data) > 0 {
			break
		}
		<-tick.C
	}
	cancel()
	if said := <-ended; said != "ended by a signal" {
		t.Errorf("when the cell is lost: %q", said)
	}
	w.Program = filepath.Join(t.TempDir(), "absent")
	if _, _, err := w.command(t.Context(), nil, time.Minute); err == nil || !strings.Contains(err.Error(), "starting tun-mcp: ") {
		t.Errorf("without the program: %v", err)
	}
}
