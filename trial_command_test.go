package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// goodTrial is flags of a trial that are accepted.
func goodTrial() trialFlags {
	return trialFlags{agent: trial.AgentBuiltin, count: 1, interval: time.Second, deadline: time.Second, network: "memory", assist: "fix"}
}

// What was not asked for suits who plays; 0 is a value like others, and refused.
func TestTrialDefaults(t *testing.T) {
	for _, test := range []struct {
		agent, given, want string
	}{
		{"builtin", "", "20ms 5s"},
		{"claude", "", "2s 2m0s"},
		{"my-agent {config}", "interval", "0s 2m0s"},
		{"running", "deadline", "2s 0s"},
	} {
		o := goodTrial()
		o.agent, o.interval, o.deadline = test.agent, 0, 0
		o.fill(func(flag string) bool { return flag == test.given })
		if got := o.interval.String() + " " + o.deadline.String(); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
		if _, err := o.options(nil); (err != nil) != (test.given != "") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// Who reads the help or the page learns with which deadline late is late.
func TestMistakeLateIsExplained(t *testing.T) {
	page, err := os.ReadFile("docs/trial.md")
	if err != nil {
		t.Fatal(err)
	}
	if help := trialCommand().Flag("mistake").Usage; !strings.HasSuffix(help, "late answers after 1.5 s: use it with --deadline 1s") {
		t.Errorf("the help: %s", help)
	}
	if !strings.Contains(string(page), "`late` answers after 1.5 s: use it with `--deadline 1s`") {
		t.Error("docs/trial.md does not say so")
	}
}

// A report says of an agent that errs on purpose that it does.
func TestMistakeIsPartOfTheName(t *testing.T) {
	o := goodTrial()
	o.mistake = "type"
	options, err := o.options([]string{"ping"})
	if err != nil || options.Agent.Name != "builtin, making the mistake type on purpose" {
		t.Errorf("%q, %v", options.Agent.Name, err)
	}
}

// The files that are no reports stay, though they look a little like some.
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
		{json: own("server.json")}, {json: own(".claude-plugin/marketplace.json")}, {json: own("plugin/.claude-plugin/plugin.json")}, {json: npm},
		{html: own("docs/trial.md")}, {html: own("trial/report/page.go")}, {html: npm},
	} {
		o := goodTrial()
		o.json, o.html = test.json, test.html
		if _, err := o.options(nil); err == nil || !strings.Contains(err.Error(), "the file exists and is no report of a trial: remove it or name another") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// A page that could not be written says what to do, as a report does.
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

// What a trial writes has files of its own, and all of them are looked at before
// it begins: also those of recordings that begin hours later.
func TestTrialTargets(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Mkdir("sub", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder, "link"); err != nil {
		tuntest.Unmet(t, err) // not everybody may, on Windows
	}
	if err := os.WriteFile("old-2.pcapng", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const twice, exists = "would be written twice", "a recording is never written over"
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
		{"", "", os.DevNull, "name a file that is not there yet"},
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
