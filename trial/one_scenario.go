package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// resultOf returns the result of a cell that has not run.
func resultOf(c cell) score.Result {
	return score.Result{Scenario: c.Name, About: c.About, RFC: c.RFC, Expect: c.Expect, Tally: score.Tally{Faults: map[string]int{}}}
}

// skip adds the result of a cell that cannot run on its link, and why.
func (o *Options) skip(c cell, found *score.Report, why string) {
	r := resultOf(c)
	r.Skipped, r.Reason, r.Unsuited = true, why, o.Every
	found.Add(r)
	o.Progress.End(r)
}

// runOne runs a cell and judges it. The error says why it could not send everything,
// or could not write a verdict; the result is valid all the same.
func (o *Options) runOne(ctx context.Context, c cell, agent *subject.Subject) (score.Result, error) {
	began, first, missed := time.Now(), agent.Events.Count(), agent.Events.Missed()
	lines := newVerdicts(o, c, agent.Events, began)
	peer := &traffic.Peer{
		Session: agent.Session, Status: agent.Status, Settings: o.Settings, Events: agent.Events,
		Rand: rand.New(rand.NewPCG(c.seed(o.Settings.Seed), nameHash(c.Name))),
		Show: func(outcome string) { o.Progress.Add(score.Exchange{Outcome: outcome}) },
		Done: lines.done(), Alone: o.Agent.Kind == subject.Handler,
	}
	if o.Lines != nil {
		peer.Over = lines.over
	}
	o.Progress.Begin(c.Name)
	requests, err := c.Run(ctx, peer)
	events := agent.Events.Since(first)
	r := resultOf(c)
	now := lines.judge(requests, events)
	lines.write(now)
	r.Seconds, r.Exchanges = time.Since(began).Seconds(), merged(lines.past.Judged, now)
	c.MarkProbes(r.Exchanges)
	r.Sum(events)
	cost := lines.past.Cost // counts no exchanges
	r.Tally.Add(cost)
	r.Crossings = score.Ladder(events, ladderLength)
	if c.Note != nil {
		r.Note = c.Note(r.Exchanges)
	}
	switch {
	case ctx.Err() != nil:
		r.Reason = "interrupted: these are the requests sent before that"
	case errors.Is(err, traffic.ErrSilent), errors.Is(err, traffic.ErrUnanswered):
		r.Reason = err.Error()
	case err != nil:
		r.Reason = "the traffic could not be sent: " + err.Error()
	default:
		r.Reason = c.Failure(r.Exchanges)
	}
	if lost := agent.Events.Missed() - missed; lost > 0 {
		r.Reason = fmt.Sprintf("the trial missed %d events of the session, so its figures are incomplete: send fewer packets at once; %s", lost, r.Reason)
	}
	r.Passed = r.Reason == ""
	c.Scored(&r, o.Settings.Count)
	if o.Settings.Repeat > 1 {
		r.Repeats = []score.Repeat{o.repetition(c, r)}
	}
	if err == nil && ctx.Err() == nil && agent.Events.Ended() == "" {
		on := score.Link{Network: agent.Status.Network, Assist: agent.Status.Assist}
		if o.Agent.Kind == subject.Running {
			on.Session = agent.Session.Name
		}
		lines.end(r, on)
	}
	if err == nil {
		err = lines.err
	}
	o.Progress.End(r)
	return r, err
}

// ladderLength is the number of packets in a scenario's ladder.
const ladderLength = 24

// nameHash returns the FNV-1a hash of a scenario's name. It gives each scenario its own
// random numbers, whatever runs before it.
func nameHash(name string) uint64 {
	hash := uint64(14695981039346656037)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return hash
}
