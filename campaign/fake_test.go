package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun"
)

// If this variable is set, the test binary acts as the campaign program, and as a
// fake tun-mcp whose trials do what their agent's name says. Its value is the folder
// where the trials leave their marks.
const marksVariable = "TUN_MCP_TEST_CAMPAIGN"

// apart is the folder of this test run, for its sessions and programs.
var apart string

func TestMain(m *testing.M) {
	tun.RunHolder(nil)
	marks := os.Getenv(marksVariable)
	if marks == "" {
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil { // the tests mostly wait
			panic(err)
		}
		os.Exit(runApart(m))
	}
	switch os.Args[1] {
	case "__complete":
		fmt.Println("ping\ndns\nnoise\n:4")
	case "trial":
		os.Exit(fakeTrial(marks, os.Args[2:]))
	default:
		main()
	}
}

// runApart runs the tests with their own runtime folder, so that they do not see
// this machine's sessions.
func runApart(m *testing.M) int {
	var err error
	if apart, err = os.MkdirTemp("", "tm"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(apart)
	if err := os.Setenv("TUN_MCP_RUNTIME_DIR", apart); err != nil {
		panic(err)
	}
	return m.Run()
}

// valueOf returns the value of the flag name, or "" if it is not in args.
func valueOf(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 {
		return args[i+1]
	}
	return ""
}

// fakeTrial plays a trial as its agent's command says, for instance "{config} slow
// 300ms". It writes the report and returns the exit status.
func fakeTrial(marks string, args []string) int {
	seed := valueOf(args, "--seed")
	words := append(strings.Fields(valueOf(args, "--agent")), "", "", "")
	mark := func(name string) int { // returns a size that grows with every call
		f, err := os.OpenFile(filepath.Join(marks, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		fmt.Fprintln(f, os.Getpid())
		info, err := f.Stat()
		if err != nil {
			panic(err)
		}
		return int(info.Size())
	}
	if file := valueOf(args, "--handler"); file != "" { // the handler's text says what the trial does
		source, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		words = append(words[:1], append(strings.Fields(string(source)), words[1:]...)...)
	}
	report := score.Report{Version: score.Version, Program: "test", Started: time.Now(), Agent: score.Agent{Kind: "command", Name: words[1]}}
	right, patience := 3, 10*time.Millisecond
	switch words[1] {
	case "slow":
		patience, _ = time.ParseDuration(words[2])
	case "hangs":
		patience = time.Hour
	case "hangs-once":
		if before := mark("hung-" + seed); before <= 10 {
			patience = time.Hour
		}
	case "wrong":
		right = 1
	case "absent": // unless this variable is set
		if os.Getenv("TUN_MCP_TEST_INSTALLED") != "" {
			break
		}
		report.Cut = "the agent ended before it started the server: exit status 127; last output: absent: not found"
	case "busy": // for this long after the first trial
		length, _ := time.ParseDuration(words[2])
		info, err := os.Stat(filepath.Join(marks, "busy-until"))
		if errors.Is(err, fs.ErrNotExist) {
			mark("busy-until")
		} else if err == nil && time.Since(info.ModTime()) >= length {
			break
		}
		report.Cut = "the agent ended before it read anything: exit status 1; last output: API Error: 429 Too Many Requests"
		report.Usage = &score.Usage{CostUSD: 0.5}
	case "costs":
		report.Usage = &score.Usage{Turns: 2, InputTokens: 100, OutputTokens: 10, CostUSD: 0.5}
	case "refused":
		fmt.Fprintln(os.Stderr, "tun-mcp: there is no such thing")
		return 2
	}
	mark("trial")
	<-time.After(patience)
	result := score.Result{Scenario: args[0], Passed: right == 3}
	for i := range 3 {
		x := score.Exchange{N: i + 1, Outcome: score.Right, Response: float64(i + 1), RoundTrip: 5}
		if i >= right {
			x.Outcome, x.Faults = score.Wrong, []string{score.FaultPayload}
		}
		result.Exchanges = append(result.Exchanges, x)
	}
	if report.Cut != "" {
		result.Exchanges, result.Skipped, result.Passed = nil, true, false
	}
	result.Sum(nil)
	report.Scenarios = []score.Result{result}
	report.Total.Add(result.Tally)
	if err := report.Save(valueOf(args, "--json")); err != nil {
		fmt.Fprintln(os.Stderr, "tun-mcp:", err)
		return 1
	}
	if !report.Passed() {
		return 1
	}
	return 0
}

// field is a campaign under test.
type field struct {
	t      *testing.T
	home   string
	plan   string
	folder record.Folder
	real   string   // path of the real tun-mcp; "" means the fake one
	env    []string // additional environment variables
}

func newField(t *testing.T, plan string) *field {
	t.Helper()
	t.Parallel()
	f := &field{t: t, home: t.TempDir()}
	f.plan = filepath.Join(f.home, "p.yaml")
	f.folder = record.FolderOf(f.plan)
	f.write(plan)
	return f
}

func (f *field) write(plan string) {
	f.t.Helper()
	if err := os.WriteFile(f.plan, []byte(plan), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// command returns the command `campaign` with these arguments.
func (f *field) command(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(append(os.Environ(), marksVariable+"="+f.home), f.env...)
	if slices.Contains([]string{"start", "work", "plan"}, args[0]) {
		cmd.Args = append(cmd.Args, "--tun-mcp", cmp.Or(f.real, self))
	}
	return cmd
}

// process is a running campaign command.
type process struct {
	*exec.Cmd
	t     *testing.T
	said  *said
	ended chan struct{}
}

// begin starts a command. It is killed when the test ends.
func (f *field) begin(args ...string) *process {
	f.t.Helper()
	return f.run(f.command(args...), nil)
}

// run starts a command. It is killed when the test ends. begun, if not nil, is
// called before anyone waits for the process.
func (f *field) run(cmd *exec.Cmd, begun func(pid int)) *process {
	f.t.Helper()
	p := &process{Cmd: cmd, t: f.t, said: newSaid(), ended: make(chan struct{})}
	p.Stdout, p.Stderr = p.said, p.said
	if err := p.Start(); err != nil {
		f.t.Fatal(err)
	}
	if begun != nil {
		begun(p.Process.Pid)
	}
	go func() { _ = p.Wait(); close(p.ended) }()
	f.t.Cleanup(func() { _ = p.Process.Kill(); <-p.ended })
	return p
}

// ends waits for the command to end, checks its exit status and returns its output.
func (p *process) ends(status int) string {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(4 * time.Minute):
		p.t.Fatalf("%v has not ended within 4 minutes; its output is:\n%s", p.Args[1:], p.said.text())
	}
	if got := p.ProcessState.ExitCode(); got != status {
		p.t.Fatalf("%v ended with status %d, want %d; its output is:\n%s", p.Args[1:], got, status, p.said.text())
	}
	return p.said.text()
}

// records returns the results. It checks that no cell has two.
func (f *field) records() []record.Record {
	f.t.Helper()
	records, err := f.folder.Records()
	if err != nil {
		f.t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, r := range records {
		if seen[r.Cell] {
			f.t.Errorf("the cell %s has two records", r.Cell)
		}
		seen[r.Cell] = true
	}
	return records
}

// allDone checks that every cell is done, with the figures of its trial's JSON, and
// returns the records.
func (f *field) allDone(cells int) []record.Record {
	f.t.Helper()
	records := f.records()
	if len(records) != cells {
		f.t.Fatalf("%d records, want %d", len(records), cells)
	}
	for _, r := range records {
		if r.State != record.Done {
			f.t.Fatalf("the cell %s is %s: %s", r.Cell, r.State, r.Reason)
		}
		report, err := score.Load(f.folder.Trial(r.Cell))
		if err != nil {
			f.t.Fatal(err)
		}
		if report.Total.Right != r.Right || report.Total.Sent != r.Sent || report.Scenarios[0].Response != score.Distribute(r.Responses) {
			f.t.Errorf("the record of %s has %d of %d right, its trial %d of %d", r.Cell, r.Right, r.Sent, report.Total.Right, report.Total.Sent)
		}
	}
	return records
}
