package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Options say what a trial is to measure, and how.
type Options struct {
	Scenarios []Scenario
	Agent     score.Agent
	Session   string   // with AgentRunning: whose; empty: the newest
	Program   string   // the path of this program, to start servers and agents with
	Version   string   // of this program
	Assist    string   // of the trial's own sessions: the most help that the agent may ask for
	Link      []string // further flags of serve for the trial's own sessions
	Builtin   []string // further flags of the built-in agent
	Record    string   // a pcapng file for the trial's own sessions; empty: none
	Settings  score.Settings
	Progress  *report.Progress // nil: nobody looks on
}

// Run runs a trial. It always returns what it has measured; the error says
// why nothing could be measured, or not all.
func Run(ctx context.Context, o Options) (*score.Report, error) {
	started := time.Now()
	found := &score.Report{
		Version: score.Version, Program: o.Version, Started: started.UTC(), Agent: o.Agent, Settings: o.Settings,
		System: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Total:  score.Tally{Faults: map[string]int{}},
	}
	var err error
	for i, group := range groups(o.Scenarios) {
		if err = o.play(ctx, group, i, found); err != nil {
			break
		}
	}
	if err != nil {
		why := err.Error()
		if ctx.Err() != nil {
			why = "the trial was interrupted before its turn"
		}
		for _, s := range o.Scenarios {
			if !slices.ContainsFunc(found.Scenarios, func(r score.Result) bool { return r.Scenario == s.Name }) {
				o.skip(s, found, why)
			}
		}
	}
	for _, r := range found.Scenarios {
		found.Total.Add(r.Tally)
	}
	found.Total.Rate = score.Wilson(found.Total.Right, found.Total.Sent)
	found.Seconds = time.Since(started).Seconds()
	switch {
	case ctx.Err() != nil:
		found.Cut = errInterrupted.Error()
	case err != nil:
		found.Cut = err.Error()
	}
	return found, err
}

// play runs the scenarios of one group in one session.
func (o *Options) play(ctx context.Context, group []Scenario, number int, found *score.Report) error {
	if o.Agent.Kind == AgentRunning && group[0].Impair != "" {
		for _, s := range group {
			o.skip(s, found, "it needs a link of its own, with --impair "+s.Impair+": a session that is running has its own")
		}
		return nil
	}
	p, err := o.start(ctx, group[0].Impair, number)
	if err != nil {
		return err
	}
	defer func() {
		var patience time.Duration
		if o.Agent.Kind == AgentClaude { // it tells its turns and tokens when it ends by itself
			patience = endPatience
		}
		if o.Record != "" {
			if missing := p.unrecorded(o.recording(number)); missing != "" {
				found.Unrecorded = append(found.Unrecorded, missing)
			}
		}
		p.dismiss()
		p.stop(ctx, patience)
		if told, model := usage([]byte(p.stdout.String())); told != nil {
			found.AddUsage(told)
			if found.Agent.Model == "" {
				found.Agent.Model = model
			}
		}
	}()
	if o.Agent.Kind == AgentRunning {
		found.Session = p.session.Name
		if err := o.join(ctx, p, group); err != nil {
			return err
		}
	}
	found.Network, found.Assist = p.status.Network, p.status.Assist
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx)) // an interrupted trial sees what came last
	defer cancel()
	record, err := watch(watching, p.session)
	if err != nil {
		return err
	}
	for _, s := range group {
		if why := s.unfit(p.status); why != "" {
			o.skip(s, found, why)
			continue
		}
		result, err := o.runOne(ctx, s, p, record)
		found.Scenarios = append(found.Scenarios, result)
		why := record.gone()
		if ended, ok := errors.AsType[*control.Ended](err); ok { // the record may not know yet
			why = ended.Why
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errSilent):
			return errSilent
		case why != "":
			return fmt.Errorf("the session ended in the scenario %s: %s; %s", s.Name, why, p.why())
		}
	}
	return nil
}

// skip reports a scenario that cannot run.
func (o *Options) skip(s Scenario, found *score.Report, why string) {
	r := score.Result{Scenario: s.Name, About: s.About, RFC: s.RFC, Expect: s.Expect, Skipped: true, Reason: why, Tally: score.Tally{Faults: map[string]int{}}}
	found.Scenarios = append(found.Scenarios, r)
	o.Progress.End(r)
}

// runOne runs a scenario and judges it. Its error is why not all was sent.
func (o *Options) runOne(ctx context.Context, s Scenario, p *player, record *eventRecord) (score.Result, error) {
	began, first, missed := time.Now(), record.count(), record.missed()
	f := &Field{
		Session: p.session, Status: p.status, Settings: o.Settings, record: record, progress: o.Progress,
		Rand: rand.New(rand.NewPCG(o.Settings.Seed, nameHash(s.Name))),
	}
	o.Progress.Begin(s.Name)
	requests, err := s.Run(ctx, f)
	events := record.since(first)
	r := score.Result{Scenario: s.Name, About: s.About, RFC: s.RFC, Expect: s.Expect, Seconds: time.Since(began).Seconds()}
	r.Exchanges = s.Judge(requests, events, f.deadline())
	for i := range r.Exchanges {
		r.Exchanges[i].At = float64(requests[i].Sent.Sub(began).Microseconds()) / 1000
	}
	r.Sum(events)
	r.Crossings = score.Ladder(events, ladderLength)
	if s.Note != nil {
		r.Note = s.Note(r.Exchanges)
	}
	met := allRight
	if s.Met != nil {
		met = s.Met
	}
	switch {
	case ctx.Err() != nil:
		r.Reason = "interrupted: these are the requests up to then"
	case errors.Is(err, errSilent):
		r.Reason = err.Error()
	case err != nil:
		r.Reason = "the traffic could not be sent: " + err.Error()
	default:
		r.Reason = met(r.Exchanges)
	}
	if lost := record.missed() - missed; lost > 0 {
		r.Reason = fmt.Sprintf("%d events of the session were missed, so the figures are not whole: run fewer packets at once; %s", lost, r.Reason)
	}
	r.Passed = r.Reason == ""
	o.Progress.End(r)
	return r, err
}

// ladderLength is how many packets the ladder shows.
const ladderLength = 24

// nameHash gives each scenario random numbers of its own (FNV-1a), whatever
// runs before it.
func nameHash(name string) uint64 {
	hash := uint64(14695981039346656037)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return hash
}
