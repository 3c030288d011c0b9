package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// groups splits cells into groups that can share a link and an agent. They stay in
// order, except that a served agent, which has only one link, first gets all cells
// without an impaired one.
func (o *Options) groups(cells []cell) [][]cell {
	var all [][]cell
	if o.Agent.Kind == subject.Served {
		cells = slices.SortedStableFunc(slices.Values(cells), func(a, b cell) int { return cmp.Compare(a.Impair, b.Impair) })
	}
	for _, c := range cells {
		if n := len(all); n > 0 && all[n-1][0].Impair == c.Impair && (o.oneSession() || all[n-1][0].repeat == c.repeat) {
			all[n-1] = append(all[n-1], c)
			continue
		}
		all = append(all, []cell{c})
	}
	return all
}

// oneSession reports whether all cells run in one session, because the trial cannot
// start its agent again.
func (o *Options) oneSession() bool {
	return o.Agent.Kind == subject.Running || o.Agent.Kind == subject.Served
}

// Recordings returns the pcapng files that the trial writes, one for each session that
// it starts, or nil without Record.
func (o *Options) Recordings() []string {
	if o.Record == "" {
		return nil
	}
	var all []string
	for i := range o.groups(o.cells()) {
		all = append(all, o.recording(i))
	}
	return all
}

// recording returns the file of a group's session. The second and later groups have a
// number before the extension: run.pcapng, run-2.pcapng.
func (o *Options) recording(group int) string {
	if group == 0 {
		return o.Record
	}
	end := filepath.Ext(o.Record)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(o.Record, end), group+1, end)
}

// play runs one group of cells in one session and adds their results to found. An
// error ends the trial.
func (o *Options) play(ctx context.Context, group []cell, number int, found *score.Report) error {
	if o.Agent.Kind == subject.Running && group[0].Impair != "" || o.served != nil {
		for _, s := range group {
			o.skip(s, found, "it needs its own link with --impair "+s.Impair+", and this session's link is already open")
		}
		return nil
	}
	agent, err := subject.Start(ctx, o.subject(group, number))
	if err != nil {
		return err
	}
	began := time.Now()
	defer func() {
		if o.Record != "" {
			if missing := agent.Unrecorded(o.recording(number)); missing != "" {
				found.Unrecorded = append(found.Unrecorded, missing)
			}
		}
		found.AddHandler(score.HandlerIn(agent.Events.Since(0), agent.Status.Handler, began))
		if o.Agent.Kind == subject.Served { // Run ends it, after Verdict
			o.served = agent
			return
		}
		agent.End(ctx)
		if told, model := agent.Usage(); told != nil {
			found.AddUsage(told)
			if found.Agent.Model == "" {
				found.Agent.Model = model
			}
		}
	}()
	if o.Agent.Kind == subject.Running {
		found.Session = agent.Session.Name
		if err := o.join(ctx, agent, group); err != nil {
			return err
		}
		began = time.Now()
	}
	found.Network, found.Assist = agent.Status.Network, agent.Status.Assist
	silent := false
	for _, s := range group {
		if why := s.Unfit(agent.Status); why != "" {
			o.skip(s, found, why)
			continue
		}
		if silent { // perhaps it only paused
			o.Progress.Say("%v; the next scenario begins when it reads again (waiting up to %v)", traffic.ErrSilent, agent.Patience)
			if agent.Ready(ctx) != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return fmt.Errorf("%w, and did not resume: %s", traffic.ErrSilent, agent.Why())
			}
		}
		result, err := o.runOne(ctx, s, agent)
		found.Add(result)
		why := agent.Events.Ended()
		if ended, ok := errors.AsType[*control.Ended](err); ok { // the end may not be among the events yet
			why = ended.Why
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errLines): // for instance, the disk is full
			return err
		case why != "":
			return fmt.Errorf("the session ended in the scenario %s: %s; %s", s.Name, why, agent.Why())
		}
		silent = errors.Is(err, traffic.ErrSilent)
	}
	if silent {
		return traffic.ErrSilent
	}
	return nil
}

// Prompt returns the prompt for a model that the trial starts.
func (o *Options) Prompt() string {
	c := o.subject(o.cells(), 0)
	return c.Prompt()
}

// subject returns the configuration of the agent, and of its link, for a group.
func (o *Options) subject(group []cell, number int) subject.Config {
	c := subject.Config{
		Agent: o.Agent, Session: o.Session, Program: o.Program, Assist: o.Assist, Link: o.Link, Flags: o.Builtin,
		Handler: o.Handler, Handlers: o.Handlers,
		Serve:    o.Serve,
		Deadline: time.Duration(o.Settings.Deadline * float64(time.Millisecond)),
		Programs: slices.ContainsFunc(o.Scenarios, func(s scenario.Scenario) bool { return !s.Echo() }),
		IPv6:     slices.ContainsFunc(o.Scenarios, func(s scenario.Scenario) bool { return s.IPv6 }),
	}
	if group[0].Impair != "" {
		c.Impair = fmt.Sprintf("%s,seed=%d", group[0].Impair, group[0].seed(o.Settings.Seed))
	}
	if o.Record != "" {
		c.Record = o.recording(number)
	}
	return c
}

// join waits until the agent of a running session reads. It does not wait if no cell
// of the group can run on that link.
func (o *Options) join(ctx context.Context, agent *subject.Subject, group []cell) error {
	if agent.Status.Network == "host" {
		return errors.New("the session is on this machine's own network, and a trial floods its link: use a session with --network private or memory")
	}
	if !slices.ContainsFunc(group, func(c cell) bool { return c.Unfit(agent.Status) == "" }) {
		return nil
	}
	if agent.Status.Readers == 0 {
		o.Progress.Say("waiting up to %v for the agent of session %s to call read_packet; Ctrl-C stops", agent.Patience, agent.Session.Name)
	}
	return agent.Ready(ctx)
}
