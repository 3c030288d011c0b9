package worker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/child"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// endPatience is how long a trial may take to end after an interrupt.
const endPatience = 10 * time.Second

// outcome is the result of running a cell once.
type outcome struct {
	record  record.Record // State is "" if the cell has not ended
	report  []byte        // the trial's JSON
	retry   string        // why there was no trial; the cell is tried again
	busy    bool          // the reason is a provider with too many requests
	absent  bool          // the reason is a client that is not installed here
	stopped bool          // this worker ended the trial, so it does not count
}

// cost returns the dollars that the client reported, or 0.
func (o *outcome) cost() float64 {
	if o.record.Usage == nil {
		return 0
	}
	return o.record.Usage.CostUSD
}

// play runs a cell's trial in a child process and judges the result. source is the
// handler's program, if the agent is one.
func (w *Worker) play(ctx context.Context, cell plan.Cell, source []byte) outcome {
	found := outcome{record: record.Of(cell)}
	r := &found.record
	r.Worker, r.Started = w.Name, time.Now().UTC()
	began := time.Now()
	folder, err := os.MkdirTemp(w.Folder, "cell-*")
	if err != nil {
		found.retry = err.Error()
		return found
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "report.json")
	args := append(slices.Clone(cell.Args), "--json", file)
	if cell.Handler != "" {
		handler := filepath.Join(folder, filepath.Base(cell.Handler))
		if err := os.WriteFile(handler, source, 0o600); err != nil {
			found.retry = err.Error()
			return found
		}
		args = append(args, "--handler", handler)
	}
	status, lastLine, err := w.command(ctx, args, cell.Longest)
	r.Seconds = time.Since(began).Seconds()
	hung := errors.Is(err, context.DeadlineExceeded)
	switch {
	case hung:
		found.retry = fmt.Sprintf("the trial took longer than %v, the plan's limits.trial, and was stopped", cell.Longest)
		return found
	case ctx.Err() != nil:
		found.stopped = true
		return found
	case err != nil:
		found.retry = err.Error()
		return found
	}
	found.judge(file, status, lastLine)
	return found
}

// command runs tun-mcp for at most longest. It returns the exit status and the last
// line on stderr. The error is the reason why tun-mcp could not run, or
// context.DeadlineExceeded.
func (w *Worker) command(ctx context.Context, args []string, longest time.Duration) (status int, lastLine string, err error) {
	cmd := exec.Command(w.Program, args...)
	stderr := &tail{}
	cmd.Stderr, cmd.WaitDelay = stderr, 2*time.Second
	child.Apart(cmd)
	if err := cmd.Start(); err != nil {
		return 0, "", fmt.Errorf("starting tun-mcp: %w", err)
	}
	release, err := child.Guard(cmd)
	ended := make(chan error, 1)
	go func() {
		failure := cmd.Wait()
		if release != nil {
			release()
		}
		ended <- failure
	}()
	if err != nil {
		_ = child.Kill(cmd)
		<-ended
		return 0, "", err
	}
	over := time.NewTimer(longest)
	defer over.Stop()
	select {
	case err = <-ended:
		status = cmd.ProcessState.ExitCode()
		if _, exited := errors.AsType[*exec.ExitError](err); exited {
			err = nil
		} else if errors.Is(err, exec.ErrWaitDelay) {
			err = nil
		}
		return status, stderr.last(), err
	case <-over.C:
		err = context.DeadlineExceeded
	case <-ctx.Done():
	}
	_ = child.Interrupt(cmd)
	patience := time.NewTimer(endPatience)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
		_ = child.Kill(cmd)
		<-ended
	}
	return 0, stderr.last(), err
}

// busyWords matches what clients say when their provider has too many requests.
var busyWords = regexp.MustCompile(`(?i)\b429\b|\b529\b|too many requests|rate.?limit|overloaded`)

// crashWords matches what a trial says when its agent crashed or was killed.
var crashWords = regexp.MustCompile(`exit status [1-9]|signal: `)

// absentWords matches what a trial says when its agent's client is not installed:
// 126 and 127 are the shell's statuses for a program that it cannot run or find.
var absentWords = regexp.MustCompile(`^claude is not on PATH|^the agent ended before it started the server: exit status 12[67]\b`)

// crashLine matches the last line on stderr of a Go program that crashed. Its exit
// status is that of wrong usage.
var crashLine = regexp.MustCompile(`\.(go|s):\d+ \+0x`)

// judge fills in the outcome from the trial's report, tun-mcp's exit status and its
// last line on stderr. A trial that took place is done, whatever its score; one that
// did not is tried again.
func (o *outcome) judge(file string, status int, lastLine string) {
	const wrongUsage = 2
	r := &o.record
	data, err := os.ReadFile(file)
	crashed := status == wrongUsage && crashLine.MatchString(lastLine)
	if status == wrongUsage && !crashed {
		r.State, r.Reason = record.Failed, "tun-mcp refused it: "+lastLine
		return
	}
	if err != nil && crashed {
		o.retry = "tun-mcp crashed: " + lastLine
		return
	}
	if err != nil {
		o.retry = cmp.Or(lastLine, fmt.Sprintf("tun-mcp ended with status %d and wrote no report", status))
		o.stopped = strings.Contains(lastLine, "no space left on device")
		return
	}
	report, err := score.Read(bytes.NewReader(data))
	if err != nil {
		o.retry = "reading the trial's report: " + err.Error()
		return
	}
	r.Fill(report)
	var more struct {
		Reward *float64 `json:"reward"`
	}
	if json.Unmarshal(data, &more) == nil {
		r.Reward = more.Reward
	}
	reasons := report.Cut
	skipped := len(report.Scenarios) == 0
	for _, s := range report.Scenarios {
		skipped = skipped || s.Skipped
		if s.Skipped { // the reason of another one is about its answers
			reasons += "\n" + s.Reason
		}
	}
	switch {
	case report.Cut == "" && !skipped:
		r.State, o.report = record.Done, data
	case report.Cut == "": // the link cannot carry the scenario, now or later
		r.State, r.Reason = record.Failed, cmp.Or(r.Reason, "it ran no scenario")
	case absentWords.MatchString(report.Cut):
		o.absent, o.retry = true, report.Cut
	case busyWords.MatchString(reasons):
		o.busy, o.retry = true, report.Cut
	case r.Sent > 0 && !crashWords.MatchString(report.Cut): // the agent gave up, which is a result
		r.State, o.report = record.Done, data
	default:
		o.retry = report.Cut
	}
}
