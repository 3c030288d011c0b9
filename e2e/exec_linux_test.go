package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Flags behind the command are the command's, with a -- before it or without.
func TestExecLeavesTheCommandItsFlags(t *testing.T) {
	c := startPrivate(t, "--session", "here")
	for _, args := range []string{"exec sh -c", "exec -- sh -c", "exec --session here sh -c", "exec --session=here -- sh -c"} {
		cmd := c.command(append(strings.Fields(args), "exit 7")...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("%s: %v\n%s", args, cmd.ProcessState, out)
		}
	}
}

// What could not be printed was not done.
func TestStdoutIsFull(t *testing.T) {
	for _, args := range []string{"doctor", "agent -q --network memory --ping 1"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		defer full.Close()
		cmd := exec.Command(program, strings.Fields(args)...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+shortDir(t))
		var stderr strings.Builder
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run() // its exit status says how it went
		if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(stderr.String(), "no space left on device") {
			t.Errorf("%s: exit status %d, want 1\n%s", args, status, &stderr)
		}
	}
}
