package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/agent"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun"
)

// trialFlags are the flags of `tun-mcp trial`.
type trialFlags struct {
	agent, model, session, network, assist string
	count                                  int
	interval, deadline                     time.Duration
	seed                                   uint64
	json, html, record, mistake            string
}

// trialCommand is `tun-mcp trial`.
func trialCommand() *cobra.Command {
	var o trialFlags
	cmd := &cobra.Command{
		Use:   "trial [SCENARIO…]",
		Short: "Measure an agent: real traffic, every byte of its answers checked, a score",
		Long: `Send real traffic to an agent that plays the stack, and score what comes back.

Scenarios: ` + trial.Names() + `
(default: all). Exit status: 0 when every scenario met what it expects, 1 when
not, 2 for wrong usage.`,
		Example: `  tun-mcp trial
  tun-mcp trial ping noise --count 40 --html report.html
  tun-mcp trial ping --agent claude --model MODEL --json a.json
  tun-mcp trial ping --agent running
  tun-mcp trial compare a.json b.json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			o.fill(cmd.Flags().Changed)
			return runTrial(cmd, names, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.agent, "agent", trial.AgentBuiltin, "who plays: builtin; claude (Claude Code, as claude -p); running (the agent of a running session); "+
		"or a command with {config} or {server}, and {prompt}")
	f.StringVar(&o.model, "model", "", "with --agent claude: which model")
	f.StringVar(&o.session, "session", "", "with --agent running: name of the session (default: the newest)")
	f.IntVar(&o.count, "count", 10, "requests a scenario; some send fewer, noise and load more")
	f.DurationVar(&o.interval, "interval", 0, "between two requests of the scenario load (default 20ms; with a model 2s)")
	f.DurationVar(&o.deadline, "deadline", 0, "an answer after this is late (default 5s; with a model 2m)")
	f.StringVar(&o.assist, "assist", string(tools.AssistFix), "the most help that the agent may ask for: none, check, fix")
	f.StringVar(&o.network, "network", tun.NetworkAuto, "where the peer lives: private, memory, auto")
	f.Uint64Var(&o.seed, "seed", 1, "of everything that is random: the same seed sends the same data")
	f.StringVar(&o.json, "json", "", "write the whole report to this file; an older report there is replaced")
	f.StringVar(&o.html, "html", "", "write a page with plots to this file; an older page there is replaced")
	f.StringVar(&o.record, "record", "", "record every packet to this pcapng file")
	f.StringVar(&o.mistake, "mistake", "", "with --agent builtin: make one kind of mistake on purpose: "+agent.MistakesHelp())
	cmd.AddCommand(compareCommand())
	return cmd
}

// fill gives what was not asked for the value that suits who plays: a model
// takes seconds for a turn.
func (o *trialFlags) fill(given func(flag string) bool) {
	interval, deadline := 2*time.Second, 2*time.Minute
	if o.agent == trial.AgentBuiltin {
		interval, deadline = 20*time.Millisecond, 5*time.Second
	}
	if !given("interval") {
		o.interval = interval
	}
	if !given("deadline") {
		o.deadline = deadline
	}
}

// options turns the flags into what they stand for; its errors are of usage.
func (o trialFlags) options(names []string) (trial.Options, error) {
	var t trial.Options
	var err error
	if t.Scenarios, err = trial.Choose(names); err != nil {
		return t, err
	}
	if t.Agent, err = trial.ParseAgent(o.agent, o.model); err != nil {
		return t, err
	}
	t.Settings = score.Settings{Count: o.count, Seed: o.seed, Interval: score.Milliseconds(o.interval), Deadline: score.Milliseconds(o.deadline)}
	switch {
	case o.count < 1 || o.count > 10000:
		return t, fmt.Errorf("--count %d: accepted are 1 to 10000 requests", o.count)
	case o.interval < time.Millisecond:
		return t, fmt.Errorf("--interval %v: accepted is 1ms or more", o.interval)
	case o.deadline < 10*time.Millisecond:
		return t, fmt.Errorf("--deadline %v: accepted is 10ms or more", o.deadline)
	case o.session != "" && t.Agent.Kind != trial.AgentRunning:
		return t, errors.New("--session goes with --agent running: the trial's own sessions have names of their own")
	case o.record != "" && t.Agent.Kind == trial.AgentRunning:
		return t, errors.New("--record does not go with --agent running: start that session's server with --record")
	case o.network == tun.NetworkHost:
		return t, errors.New("--network host: a trial floods its link; accepted are auto, private, memory")
	case !slices.Contains([]string{tun.NetworkAuto, tun.NetworkPrivate, tun.NetworkMemory}, o.network):
		return t, fmt.Errorf("--network %q: accepted are auto, private, memory", o.network)
	}
	if _, err := tools.ParseAssist(o.assist); err != nil {
		return t, fmt.Errorf("--%w", err)
	}
	if len(names) == 0 && t.Agent.Kind == trial.AgentRunning {
		// A session that is running has the link that it has.
		t.Scenarios = slices.DeleteFunc(t.Scenarios, func(s trial.Scenario) bool { return s.Impair != "" || s.IPv6 })
	}
	if o.mistake != "" {
		if err := agent.CheckMistake(o.mistake); err != nil {
			return t, fmt.Errorf("--mistake: %w", err)
		}
		if t.Agent.Kind != trial.AgentBuiltin {
			return t, errors.New("--mistake goes with --agent builtin")
		}
		t.Builtin = []string{"--mistake", o.mistake}
		t.Agent.Name += ", making the mistake " + o.mistake + " on purpose"
	}
	t.Session, t.Version, t.Record, t.Assist = o.session, version(), o.record, o.assist
	if err := o.checkTargets(t.Recordings()); err != nil { // before hours of measuring
		return t, err
	}
	t.Link = []string{"--network", o.network, "--addr6", "2001:db8:77::1/64", "--queue", "4096"}
	t.Program, err = os.Executable()
	return t, err
}

// runTrial runs a trial and writes what it found, also when it was cut short.
func runTrial(cmd *cobra.Command, names []string, o trialFlags) error {
	options, err := o.options(names)
	if err != nil {
		return usage(err)
	}
	options.Progress = report.NewProgress(cmd.ErrOrStderr(), 0)
	found, failure := trial.Run(cmd.Context(), options)
	saved := o.save(found) // before a terminal or a pipe that has gone could end this
	if err := errors.Join(report.WriteTable(cmd.OutOrStdout(), found, 0), saved); err != nil {
		return err
	}
	if failure != nil || !found.Passed() || len(found.Unrecorded) > 0 {
		return &exitError{Status: 1} // the table has said why
	}
	return nil
}

// compareCommand is `tun-mcp trial compare`.
func compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json …",
		Short: "Put the reports of trials side by side",
		Args: func(_ *cobra.Command, paths []string) error {
			if len(paths) < 2 {
				return fmt.Errorf("compare takes the JSON files of two or more trials, %d came", len(paths))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			var reports []*score.Report
			for _, path := range paths {
				found, err := score.Load(path)
				if err != nil {
					return err
				}
				reports = append(reports, found)
			}
			return report.WriteComparison(cmd.OutOrStdout(), reports, paths)
		},
	}
}
