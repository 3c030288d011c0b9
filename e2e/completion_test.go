package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
)

// offered asks the program for completions, as a shell does. It returns the words
// without their descriptions, and the directive.
func offered(t *testing.T, cmd *exec.Cmd, line ...string) (words []string, directive string) {
	t.Helper()
	cmd.Args = append(append(cmd.Args, "__complete"), line...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	directive = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		word, _, _ := strings.Cut(line, "\t")
		words = append(words, word)
	}
	return words, directive
}

// Completions that need no session. `:4` means no files, `:8` that the words are file
// name extensions, `:0` any file.
func TestCompletion(t *testing.T) {
	t.Parallel()
	all := strings.Split(scenario.Names(), ", ")
	for _, test := range []struct {
		line string // the word being typed, after it, is empty
		want []string
		then string
	}{
		{"--network", []string{"auto", "private", "memory", "host"}, ":4"},
		{"serve --assist", []string{"none", "check", "fix"}, ":4"},
		{"agent --mistake", strings.Split(agent.Mistakes(), ", "), ":4"},
		{"agent --ping", nil, ":4"},
		{"agent --record", []string{"pcapng"}, ":8"},
		{"trial --network", []string{"auto", "private", "memory"}, ":4"},
		{"trial --agent", []string{"builtin", "handler", "claude", "running", "served"}, ":4"},
		{"trial --shard", nil, ":4"},
		{"trial --jsonl", []string{"jsonl"}, ":8"},
		{"trial ping", slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "ping" }), ":4"},
		{"trial compare", []string{"json"}, ":8"},
		{"--log-level", []string{"debug", "info", "warn", "error"}, ":4"},
		{"--addr", nil, ":4"},
		{"doctor", nil, ":4"},
		{"exec", nil, ":0"},
		{"exec --session", nil, ":36"}, // none is running; no files, in this order
	} {
		t.Run(test.line, func(t *testing.T) {
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
			got, then := offered(t, cmd, append(strings.Fields(test.line), "")...)
			if !slices.Equal(got, test.want) || then != test.then {
				t.Errorf("offered: %q %s, want %q %s", got, then, test.want, test.then)
			}
		})
	}
}

// The help marks the value of a flag. A shell shows the description without the marks.
func TestCompletionOfFlags(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(program, "__complete", "ping", "-").Output()
	if err != nil || !strings.Contains(string(out), "--count\tstop after n requests (default: at Ctrl-C)\n") || strings.Contains(string(out), "`") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Names and addresses of a running session.
func TestCompletionOfARunningSession(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--session", "here", "--addr6", "2001:db8:77::1/64")
	for _, test := range []struct {
		line []string
		want []string
	}{
		{[]string{"exec", "--session", ""}, []string{"here"}},
		{[]string{"ping", "--session", "h"}, []string{"here"}},
		{[]string{"trial", "--session", ""}, []string{"here"}},
		{[]string{"ping", ""}, []string{"10.77.0.2", "2001:db8:77::2"}},
		{[]string{"ping", "--session", "here", ""}, []string{"10.77.0.2", "2001:db8:77::2"}},
		{[]string{"ping", "--session", "there", ""}, nil},
		{[]string{"serve", "--session", ""}, nil}, // a new name
	} {
		if got, _ := offered(t, c.command(), test.line...); !slices.Equal(got, test.want) {
			t.Errorf("%q offered: %q, want %q", test.line, got, test.want)
		}
	}
}

// The scripts go to stdout, whole, and the installed shells accept them.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for shell, check := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}, "powershell": nil} {
		t.Run(shell, func(t *testing.T) {
			script, err := exec.Command(program, "completion", shell).Output()
			if err != nil || !strings.Contains(string(script), "__complete") {
				t.Fatalf("%v; the script is\n%s", err, script)
			}
			path, err := exec.LookPath(shell)
			if err != nil || check == nil {
				t.Logf("the script is there, %s to read it is not", shell)
				return
			}
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, script, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(path, append(check, file)...).CombinedOutput(); err != nil {
				t.Errorf("%s %v: %v\n%s", shell, check, err, out)
			}
		})
	}
	help, err := exec.Command(program, "--help").Output()
	if err != nil || !strings.Contains(string(help), "\n  completion  ") {
		t.Errorf("%v; completion is not in the help:\n%s", err, help)
	}
}
