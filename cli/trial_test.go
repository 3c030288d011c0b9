package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// goodTrial returns valid flags of a trial.
func goodTrial() trialFlags {
	return trialFlags{agent: subject.Builtin, count: 1, repeat: 1, interval: time.Second, deadline: time.Second, network: "memory", assist: "fix", handlers: "off"}
}

// The defaults depend on the agent. An explicit 0 is refused.
func TestTrialDefaults(t *testing.T) {
	for _, test := range []struct {
		agent, given, want string
	}{
		{"builtin", "", "20ms 5s"},
		{"handler", "", "20ms 5s"},
		{"claude", "", "2s 2m0s"},
		{"my-agent {config}", "interval", "0s 2m0s"},
		{"running", "deadline", "2s 0s"},
	} {
		o := goodTrial()
		o.agent, o.interval, o.deadline = test.agent, 0, 0
		if test.agent == subject.Handler {
			o.handler = "../examples/handlers/host.star"
		}
		o.fill(func(flag string) bool { return flag == test.given })
		if got := o.interval.String() + " " + o.deadline.String(); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
		if _, err := o.options(nil); (err != nil) != (test.given != "") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// --handler and --handlers are checked against the agent, and the handler is compiled
// before the trial starts.
func TestTrialHandlerFlags(t *testing.T) {
	good := "../examples/handlers/host.star"
	wrong := filepath.Join(t.TempDir(), "wrong.star")
	if err := os.WriteFile(wrong, []byte("def handle(p):\n    return checksum(p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ agent, handler, handlers, want string }{
		{"handler", good, "off", ""},
		{"builtin", "", "on", ""},
		{"served", "", "on", ""},
		{"handler", "", "off", "needs --handler FILE"},
		{"builtin", good, "off", "--handler needs --agent handler"},
		{"handler", good, "on", "no agent that could install one"},
		{"running", "", "on", "leave it out; handlers are on in the session"},
		{"builtin", "", "maybe", "accepted are on and off"},
		{"handler", wrong, "off", "wrong.star:3"},
		{"handler", good + ".none", "off", "no such file"},
	} {
		o := goodTrial()
		o.agent, o.handler, o.handlers = test.agent, test.handler, test.handlers
		options, err := o.options([]string{"ping"})
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", test, err)
			}
			continue
		}
		if err != nil || options.Handler != test.handler || options.Handlers != (test.handlers == "on") {
			t.Errorf("%+v: %q %v %v", test, options.Handler, options.Handlers, err)
		}
	}
}

// The help and docs/trial.md say which deadline makes the mistake late a fault.
func TestMistakeLateIsExplained(t *testing.T) {
	page, err := os.ReadFile("../docs/trial.md")
	if err != nil {
		t.Fatal(err)
	}
	if help := trialCommand().Flag("mistake").Usage; !strings.HasSuffix(help, "late answers after 1.5 s: use it with --deadline 1s") {
		t.Errorf("the help: %s", help)
	}
	if !strings.Contains(string(page), "`late` answers after 1.5 s: use it with `--deadline 1s`") {
		t.Error("docs/trial.md does not explain the mistake late")
	}
}

// The report names the mistake that the built-in agent makes on purpose.
func TestMistakeIsPartOfTheName(t *testing.T) {
	o := goodTrial()
	o.mistake = "type"
	options, err := o.options([]string{"ping"})
	if err != nil || options.Agent.Name != "builtin, making the mistake type on purpose" {
		t.Errorf("%q, %v", options.Agent.Name, err)
	}
}

// Existing files that are not reports are never overwritten, even if they look similar.
func TestTrialKeepsOtherFiles(t *testing.T) {
	own := func(name string) string {
		path := filepath.Join(t.TempDir(), filepath.Base(name))
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	npm := filepath.Join(t.TempDir(), "package.json")
	if err := os.WriteFile(npm, []byte(`{"name": "x", "version": "1.2.3"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ json, html string }{
		{json: own("../server.json")}, {json: own("../.claude-plugin/marketplace.json")}, {json: own("../plugin/.claude-plugin/plugin.json")}, {json: npm},
		{html: own("../docs/trial.md")}, {html: own("../trial/report/page.go")}, {html: npm},
	} {
		o := goodTrial()
		o.json, o.html = test.json, test.html
		if _, err := o.options(nil); err == nil || !strings.Contains(err.Error(), "the file exists and is not the report of a trial: remove it or name another") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// The error for a page that cannot be written names the next step, as for a report.
func TestTrialSavesWithTheNextStep(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		tuntest.Unmet(t, err)
	}
	o := trialFlags{json: "/dev/full", html: "/dev/full"}
	err := o.save(&score.Report{})
	if err == nil || !strings.Contains(err.Error(), "give another path to --json") || !strings.Contains(err.Error(), "give another path to --html") {
		t.Error(err)
	}
}

// Each output of a trial needs its own file. All are checked before the trial starts,
// including recordings that start hours later.
func TestTrialTargets(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Mkdir("sub", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, "link"); err != nil {
		tuntest.Unmet(t, err) // on Windows, not every user may
	}
	if err := os.WriteFile("old-2.pcapng", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const twice, exists = "is named twice", "a recording never overwrites a file"
	for _, test := range []struct{ json, html, record, want string }{
		{"a", "b", "c", ""},
		{"a", "", "a", twice},
		{"a", "a", "", twice},
		{"", "a", "a", twice},
		{"a", filepath.Join(folder, "a"), "", twice},
		{"a", filepath.Join("sub", "..", "a"), "", twice},
		{"a", filepath.Join("link", "a"), "", twice},
		{"c-2.pcapng", "", "c.pcapng", twice},
		{os.DevNull, os.DevNull, "", ""},
		{"", "", "old.pcapng", exists},
		{"", "", "old-2.pcapng", exists},
		{"", "", "link", "it is a folder"},
		{"", "", "sub", "--record sub: it is a folder: name a file in it"},
		{"", "", os.DevNull, "name a new file"},
		{"", "", filepath.Join("none", "x"), "name one in a folder that you may write to"},
		{filepath.Join("none", "x"), "", "", "name one in a folder that you may write to"},
	} {
		o := goodTrial()
		o.json, o.html, o.record = test.json, test.html, test.record
		_, err := o.options(nil)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// A shard without a scenario has no prompt either.
func TestPromptOfAnEmptyShard(t *testing.T) {
	var out, said bytes.Buffer
	cmd := trialCommand()
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	o := goodTrial()
	o.agent, o.shard, o.printPrompt = subject.Served, "2/2", true
	if err := runTrial(cmd, []string{"ping"}, o); err != nil || out.Len() > 0 || said.String() != "nothing to run: shard 2/2 has no scenario\n" {
		t.Errorf("%q, %q, %v", &out, &said, err)
	}
}
