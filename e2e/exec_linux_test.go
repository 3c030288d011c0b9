package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// Flags after the command belong to the command, with or without -- before it.
func TestExecLeavesTheCommandItsFlags(t *testing.T) {
	t.Parallel()
	c := startPrivate(t, "--session", "here")
	for _, args := range []string{"exec sh -c", "exec -- sh -c", "exec --session here sh -c", "exec --session=here -- sh -c"} {
		cmd := c.command(append(strings.Fields(args), "exit 7")...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("%s: %v\n%s", args, cmd.ProcessState, out)
		}
	}
}

// On a terminal, exec says that nobody answers as long as the agent has not called a tool.
func TestExecBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "script")
	c := startPrivate(t)
	const warned = "tun-mcp: the agent has not called a tool yet; 10.77.0.2 answers nothing before it does\n"
	check := func(cmd *exec.Cmd, want string) {
		t.Helper()
		out, err := cmd.CombinedOutput()
		if got := strings.ReplaceAll(string(out), "\r\n", "\n"); err != nil || got != want {
			t.Errorf("%v, %q, want %q", err, got, want)
		}
	}
	terminal := func() *exec.Cmd {
		cmd := exec.Command("script", "-qec", program+" exec -- echo hello", "/dev/null")
		cmd.Env = c.command().Env
		return cmd
	}
	check(terminal(), warned+"hello\n")
	check(c.command("exec", "--", "echo", "hello"), "hello\n")
	c.tool("read_packet", `{"timeout_ms": 0}`)
	check(terminal(), "hello\n")
}

// A program on the peer belongs to the user. When the server ends, the program loses
// its link and nothing else.
func TestProgramOutlivesTheServer(t *testing.T) {
	t.Parallel()
	c := startPrivate(t)
	program := c.command("exec", "sh", "-c", `while read -r line; do ip -o link | grep -c tun0; done`)
	stdin, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Process.Kill() })
	lines := bufio.NewReader(stdout)
	devices := func() string {
		t.Helper()
		if _, err := io.WriteString(stdin, "\n"); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if n := devices(); n != "1" {
		t.Fatalf("%s devices tun0 beside the server", n)
	}
	c.endsClean()
	if n := devices(); n != "0" {
		t.Errorf("%s devices tun0 after the server", n)
	}
	stdin.Close()
	if err := program.Wait(); err != nil && program.ProcessState.ExitCode() != 1 { // grep's own status
		t.Error(err)
	}
}

// A command that cannot print its result has failed.
func TestStdoutIsFull(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"doctor", "agent -q --network memory --ping 1"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			tuntest.Unmet(t, err)
		}
		defer full.Close()
		cmd := exec.Command(program, strings.Fields(args)...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run() // the exit status shows the result
		if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%s: exit status %d, want 1\n%s", args, status, &stderr)
		}
	}
}
