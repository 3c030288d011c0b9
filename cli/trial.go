package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/tun"
)

// trialFlags are the flags of `tun-mcp trial`.
type trialFlags struct {
	agent, model, session, network, assist string
	count                                  int
	interval, deadline                     time.Duration
	seed                                   uint64
	json, html, record, mistake            string
	jsonl, junit, shard                    string
	repeat                                 int
	handler, handlers                      string
	http                                   httpOptions // with served
	printPrompt                            bool
}

// trialCommand is `tun-mcp trial`.
func trialCommand() *cobra.Command {
	var o trialFlags
	cmd := &cobra.Command{
		Use:   "trial [SCENARIO…]",
		Short: "Measure an agent: real traffic, every byte checked, a score",
		Long: `Send real traffic to an agent that plays the stack, and score what comes back.

Scenarios: ` + scenario.Names() + `
(default: all). The exit status is 0 if every scenario passed, 1 if not, 2 for
wrong usage.`,
		Example: `  tun-mcp trial
  tun-mcp trial ping noise --count 40 --html report.html
  tun-mcp trial ping --agent claude --model MODEL --json a.json
  tun-mcp trial --agent handler --handler examples/handlers/tcp.star
  tun-mcp trial ping --agent running
  tun-mcp trial compare a.json b.json`,
		RunE: func(cmd *cobra.Command, names []string) error {
			o.fill(cmd.Flags().Changed)
			return runTrial(cmd, names, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.agent, "agent", subject.Builtin, "who plays: builtin; handler (only the program of --handler, no model); claude (Claude Code, as claude -p); running (the agent of a running session); served (this process is the MCP server, and its client plays); "+
		"or a command with {prompt} and {config} or {server}")
	f.StringVar(&o.model, "model", "", "with --agent claude: which model")
	f.StringVar(&o.http.address, "http", "", "with --agent served: serve MCP at this address instead of stdio, for instance 127.0.0.1:8077")
	f.StringVar(&o.http.tokenFile, "http-token-file", "", "with --http: clients must send the token in this file (default: the variable "+tokenVariable+", if set)")
	f.StringVar(&o.session, "session", "", "with --agent running: "+sessionHelp)
	f.IntVar(&o.count, "count", 10, "requests in each scenario; some scenarios send fewer, noise and load more")
	f.DurationVar(&o.interval, "interval", 0, "time between two requests of the scenario load (default 20ms; with a model 2s)")
	f.DurationVar(&o.deadline, "deadline", 0, "an answer after this time is late (default 5s; with a model 2m)")
	f.StringVar(&o.assist, "assist", string(tools.AssistFix), "the most help that the agent may ask for: none, check, fix")
	f.StringVar(&o.network, "network", tun.NetworkAuto, "where the peer lives: private, memory, auto")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random; the same seed sends the same data")
	f.StringVar(&o.json, "json", "", "write the whole report to this file; it replaces an older report")
	f.StringVar(&o.jsonl, "jsonl", "", "append a line to this file for each request, as soon as it is judged; requests that an existing file holds do not run again")
	f.StringVar(&o.junit, "junit", "", "write the verdicts as JUnit XML to this file, for CI; it replaces an older one")
	f.IntVar(&o.repeat, "repeat", 1, "run every scenario this many times, each time with the next seed and, if the trial starts the agent, a new agent")
	f.StringVar(&o.shard, "shard", "", "run only a part of scenarios × repetitions: i/n runs every n-th, starting with the i-th; /n takes i from JOB_COMPLETION_INDEX + 1")
	f.StringVar(&o.html, "html", "", "write an HTML page with plots to this file; it replaces an older page")
	f.StringVar(&o.record, "record", "", "record every packet to this pcapng file")
	f.StringVar(&o.mistake, "mistake", "", "with --agent builtin: make one kind of mistake on purpose: "+agent.MistakesHelp())
	f.StringVar(&o.handler, "handler", "", "with --agent handler: the file of the program that answers every packet")
	f.StringVar(&o.handlers, "handlers", "off", "let the agent install packet handlers, programs that answer packets in its place: on or off")
	f.BoolVar(&o.printPrompt, "print-prompt", false, "print what a model is told and run nothing: for a harness that starts the agent itself")
	cmd.AddCommand(compareCommand())
	return cmd
}

// fill sets the defaults that depend on the agent: a model takes seconds for a turn.
func (o *trialFlags) fill(given func(flag string) bool) {
	interval, deadline := 2*time.Second, 2*time.Minute
	if o.agent == subject.Builtin || o.agent == subject.Handler {
		interval, deadline = 20*time.Millisecond, 5*time.Second
	}
	if !given("interval") {
		o.interval = interval
	}
	if !given("deadline") {
		o.deadline = deadline
	}
}

// options checks the flags and parses them. Its errors are wrong usage.
func (o trialFlags) options(names []string) (trial.Options, error) {
	var t trial.Options
	var err error
	if t.Scenarios, err = scenario.Choose(names); err != nil {
		return t, err
	}
	if t.Agent, err = subject.Parse(o.agent, o.model); err != nil {
		return t, err
	}
	t.Settings = score.Settings{Count: o.count, Seed: o.seed, Interval: score.Milliseconds(o.interval), Deadline: score.Milliseconds(o.deadline)}
	if o.repeat > 1 {
		t.Settings.Repeat = o.repeat
	}
	if t.Shard, err = trial.ParseShard(o.shard); err != nil {
		return t, err
	}
	switch {
	case o.count < 1 || o.count > 10000:
		return t, fmt.Errorf("--count %d: accepted are 1 to 10000 requests", o.count)
	case o.repeat < 1 || o.repeat > 10000:
		return t, fmt.Errorf("--repeat %d: accepted are 1 to 10000 repetitions", o.repeat)
	case o.interval < time.Millisecond:
		return t, fmt.Errorf("--interval %v: accepted is 1ms or more", o.interval)
	case o.deadline < 10*time.Millisecond:
		return t, fmt.Errorf("--deadline %v: accepted is 10ms or more", o.deadline)
	case o.session != "" && t.Agent.Kind != subject.Running:
		return t, errors.New("--session needs --agent running: a trial chooses the names of its own sessions")
	case o.record != "" && t.Agent.Kind == subject.Running:
		return t, errors.New("--record does not go with --agent running: start that session's server with --record instead")
	case o.network == tun.NetworkHost:
		return t, errors.New("--network host: a trial floods its link, so it must not be the host's; accepted are auto, private, memory")
	case !slices.Contains([]string{tun.NetworkAuto, tun.NetworkPrivate, tun.NetworkMemory}, o.network):
		return t, fmt.Errorf("--network %q: accepted are auto, private, memory", o.network)
	}
	if _, err := tools.ParseAssist(o.assist); err != nil {
		return t, fmt.Errorf("--%w", err)
	}
	t.Every = len(names) == 0 // with a running session: every scenario that its link allows
	if err := o.checkServed(&t, len(names) > 0); err != nil {
		return t, err
	}
	if err := o.checkHandler(&t); err != nil {
		return t, err
	}
	if o.mistake != "" {
		if err := agent.CheckMistake(o.mistake); err != nil {
			return t, fmt.Errorf("--mistake: %w", err)
		}
		if t.Agent.Kind != subject.Builtin {
			return t, errors.New("--mistake needs --agent builtin")
		}
		t.Builtin = []string{"--mistake", o.mistake}
		t.Agent.Name += ", making the mistake " + o.mistake + " on purpose"
	}
	t.Session, t.Version, t.Record, t.Assist = o.session, version(), o.record, o.assist
	if err := o.checkTargets(t.Recordings()); err != nil { // before measuring for hours
		return t, err
	}
	t.Link = []string{"--network", o.network, "--addr6", "2001:db8:77::1/64", "--queue", "4096"}
	t.Program, err = os.Executable()
	return t, err
}

// runTrial runs a trial and writes its results, even if it was cut short.
func runTrial(cmd *cobra.Command, names []string, o trialFlags) error {
	options, err := o.options(names)
	if err != nil {
		return usage(err)
	}
	if options.Empty() {
		fmt.Fprintf(cmd.ErrOrStderr(), "nothing to run: shard %s has no scenario\n", o.shard)
		return nil
	}
	if o.printPrompt {
		_, err := io.WriteString(cmd.OutOrStdout(), options.Prompt())
		return err
	}
	options.Progress = report.NewProgress(cmd.ErrOrStderr(), 0)
	if o.jsonl != "" {
		var program string
		if program, err = handlerSum(options.Handler, options.Assist); err == nil {
			options.Lines, err = score.OpenLines(o.jsonl, score.Head{Version: score.Version, Program: options.Version, Agent: options.Agent,
				Assist: options.Assist, Settings: options.Settings, Handlers: options.Handlers, Handler: program})
		}
		if err != nil {
			return usage(fmt.Errorf("--jsonl %s: %w", o.jsonl, err))
		}
		defer options.Lines.Close()
	}
	if stdout, ok := cmd.OutOrStdout().(*os.File); ok {
		options.Serve = o.served(os.Stdin, stdout)
	}
	var saved error
	options.Verdict = func(found *score.Report) { saved = o.save(found) } // saved first: printing may fail if the terminal or pipe is gone
	found, failure := trial.Run(cmd.Context(), options)
	out := cmd.OutOrStdout()
	if options.Agent.Kind == subject.Served {
		out = cmd.ErrOrStderr() // stdout is the client's
	}
	if err := errors.Join(report.WriteTable(out, found, 0), saved); err != nil {
		return err
	}
	if failure != nil || !found.Passed() || len(found.Unrecorded) > 0 {
		return &exitError{Status: 1} // the table says why
	}
	return nil
}
