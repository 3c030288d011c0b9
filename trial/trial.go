// Package trial runs the experiment: it sends real traffic to an agent, scenario by
// scenario, and judges and scores the answers.
package trial

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
)

// Options configure a trial.
type Options struct {
	Scenarios []scenario.Scenario
	Agent     score.Agent
	Session   string   // with subject.Running: the session's name; empty means that control.Find chooses
	Program   string   // path of this program, which starts servers and agents
	Version   string   // this program's version
	Assist    string   // the most help that the agent may ask for, in sessions that the trial starts
	Link      []string // more flags of serve, for sessions that the trial starts
	Builtin   []string // more flags of the built-in agent
	Handler   string   // with subject.Handler: the file of its program
	Handlers  bool     // allow the agent to install packet handlers, in sessions that the trial starts
	Record    string   // pcapng file for sessions that the trial starts; empty means none
	Settings  score.Settings
	Progress  *report.Progress // nil shows no progress
	Every     bool             // the user named no scenarios, so one that cannot run on the link does not fail the trial
	Shard     Shard

	// Serve is subject.Config.Serve, used with subject.Served.
	Serve func(ctx context.Context, flags []string, called func(session.Call)) error

	// Verdict, if not nil, is called with the whole report before a served agent
	// learns that the trial has ended, because that agent may then end this process.
	Verdict func(*score.Report)

	served *subject.Subject // to be ended after Verdict
	Lines  *score.Lines     // the --jsonl file, with the verdicts of earlier runs; nil means none
}

// Run runs a trial. It always returns a report of what it measured. The error says why
// it could not measure everything, or anything.
func Run(ctx context.Context, o Options) (*score.Report, error) {
	started := time.Now()
	found := &score.Report{
		Version: score.Version, Program: o.Version, Started: started.UTC(), Agent: o.Agent, Handlers: o.Handlers, Settings: o.Settings,
		System: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Total:  score.Tally{Faults: map[string]int{}},
	}
	var err error
	all := o.cells()
	var left []cell
	for _, c := range all {
		if r, ok := o.recall(c); ok {
			found.Add(r)
			on := o.Lines.Past(c.Name, c.repeat).Link
			found.Network, found.Session, found.Assist = on.Network, on.Session, on.Assist
		} else {
			left = append(left, c)
		}
	}
	for i, group := range o.groups(left) {
		if err = o.play(ctx, group, i, found); err != nil {
			break
		}
	}
	if err != nil {
		why := err.Error()
		if ctx.Err() != nil {
			why = "the trial was interrupted before its turn"
		}
		for _, c := range all {
			if !found.Has(c.Name, c.repeat) {
				r := resultOf(c)
				r.Skipped, r.Reason = true, why
				r.Unreached()
				if o.Settings.Repeat > 1 {
					r.Repeats = []score.Repeat{{Repeat: c.repeat, Seed: c.seed(o.Settings.Seed), Reason: why}}
				}
				found.Add(r)
				o.Progress.End(r)
			}
		}
	}
	found.Finish()
	found.Seconds = time.Since(started).Seconds()
	switch {
	case ctx.Err() != nil:
		found.Cut = subject.ErrInterrupted.Error()
	case err != nil:
		found.Cut = err.Error()
	}
	if o.Verdict != nil {
		o.Verdict(found)
	}
	if o.served != nil {
		o.served.End(ctx)
	}
	return found, err
}
