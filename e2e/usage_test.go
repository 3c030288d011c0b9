package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Wrong usage has exit status 2 for every command, and the error says what is accepted.
func TestWrongUsage(t *testing.T) {
	t.Parallel()
	runtime := t.TempDir() // no session is running
	for _, test := range []struct{ args, want string }{
		{"pong", `unknown command "pong"; accepted: agent, `},
		{"serve pong", `unknown command "pong" for "tun-mcp serve"`},
		{"--addr x", `--addr "x": accepted is an IPv4 address and prefix length`},
		{"--addr6 ::1/64", "--addr6 ::1/64: not an address that a host can have; use one like 2001:db8:77::1/64"},
		{"serve --addr6 x", `--addr6 "x": accepted is an IPv6 address and prefix length`},
		{"--network moon", `--network "moon": unknown; use auto, private, host or memory`},
		{"--assist some", `--assist "some": unknown; use none, check or fix`},
		{"--queue 0", "--queue 0: accepted are 1 to"},
		{"--mtu many", `--mtu "many": accepted is a whole number; ` + "`tun-mcp serve --help` lists"},
		{"--no-ascii=no", `--no-ascii "no": accepted are true and false`},
		{"--allow-dest 192.0.2.0/24", "--allow-dest needs --network host"},
		{"--network memory --name tun7", "--name does not go with --network memory"},
		{"--mtu 12", "--mtu 12: out of range; use 68"},
		{"--session ../x", `--session: session name "../x": accepted are`},
		{"--impair rain", "--impair: "},
		{"--allow-dest here", `--allow-dest "here": accepted is a prefix`},
		{"--log-level loud", `--log-level "loud": accepted are debug, info, warn, error`},
		{"--nonsense", "unknown flag: --nonsense; `tun-mcp serve --help` lists the flags"},
		{"--addr", "flag needs an argument: --addr; `tun-mcp serve --help` lists"},
		{"agent --ping -1", "--ping -1: accepted is"},
		{"agent --mistake all", `--mistake: there is no mistake "all"`},
		{"agent --assist some", `--assist "some": unknown; use none`},
		{"agent now", `unknown command "now" for "tun-mcp agent"`},
		{"exec", "exec: the command is missing; for instance: tun-mcp exec -- ping 10.77.0.2"},
		{"exec -q ping", "unknown shorthand flag: 'q' in -q; `tun-mcp exec --help` lists"},
		{"ping -c none", `ping: -c "none": accepted is a number`},
		{"trial nonsense", `there is no scenario "nonsense"; there are: ping, load`},
		{"trial --count x", `--count "x": accepted is a whole number`},
		{"trial --interval 1", `--interval "1": accepted is a time with a unit, for instance 500ms`},
		{"trial --seed -1", `--seed "-1": accepted is a whole number, 0 or more`},
		{"trial --network moon", `tun-mcp: --network "moon": accepted are auto, private, memory`},
		{"trial compare one.json", "compare takes the JSON files of two or more trials, got 1"},
		{"doctor now", `unknown command "now" for "tun-mcp doctor"`},
		{"help foo", `unknown command "foo"; accepted: agent, `},
		{"help trial foo", `unknown command "foo"; accepted: compare`},
		{"help serve foo", `tun-mcp serve has no commands, got "foo"`},
		{"completion foo", `unknown command "foo"; accepted: bash, fish, powershell, zsh`},
		{"completion bash now", `unknown command "now" for "tun-mcp completion bash"`},
	} {
		t.Run(test.args, func(t *testing.T) {
			cmd := exec.Command(program, strings.Fields(test.args)...)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtime)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run() // the exit status shows the result
			if status := cmd.ProcessState.ExitCode(); status != 2 || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("exit status %d, want 2 and %q\n%s", status, test.want, &stderr)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout, which is the protocol's, has %q", &stdout)
			}
		})
	}
}

// Requested help goes to stdout, with exit status 0.
func TestHelp(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--help":          `"claude mcp add tun -- tun-mcp" adds it to Claude`,
		"help serve":      "tun-mcp serve [flags]",
		"completion":      "tun-mcp completion [command]",
		"exec --help":     "tun-mcp exec [--session NAME] [--] COMMAND [ARGUMENT…]\n\n",
		"help exec":       "unless the server's --addr says otherwise",
		"agent --help":    "every answer is right unless --mistake asks",
		"help ping":       "-W, --wait seconds       seconds to wait",
		"ping -h --count": "", // a flag without its value
	} {
		out, err := exec.Command(program, strings.Fields(args)...).Output()
		// The help is wrapped, so a line may end within a sentence.
		if (err == nil) != (want != "") || !strings.Contains(strings.Join(strings.Fields(string(out)), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%s: %v\n%s\nwant %q", args, err, out, want)
		}
	}
}

// An error that is not in the command line has another exit status.
func TestNoSessionIsNotUsage(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(program, "exec", "--", "true")
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	out, _ := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 1 {
		t.Errorf("exit status %d, want 1\n%s", status, out)
	}
}
