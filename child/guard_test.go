//go:build unix

package child

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// guardRole makes this test binary a process that guards a child. It waits until it
// is killed or its stdin is closed. In the second case it ends the child itself and
// releases the guard.
const guardRole = "TUN_MCP_TEST_GUARD"

func init() {
	role := os.Getenv(guardRole)
	if role == "" {
		return
	}
	// A grandchild shares the child's stdout, which is at EOF once both have ended.
	sleeper := exec.Command("/bin/sh", "-c", "sleep 1000 & echo up; wait")
	sleeper.Stdout = os.Stdout
	Apart(sleeper)
	if err := sleeper.Start(); err != nil {
		panic(err)
	}
	release, err := Guard(sleeper)
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("guarded\n")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes stdin
	_ = Kill(sleeper)
	_ = sleeper.Wait()
	release()
	os.Exit(0)
}

// The guarded child and its own children end with a process that is killed, and with
// one that exits normally.
func TestGuard(t *testing.T) {
	for _, end := range []struct {
		name string
		of   func(process *exec.Cmd, stdin io.Closer) error
	}{
		{"killed", func(process *exec.Cmd, _ io.Closer) error { return process.Process.Kill() }},
		{"exits", func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			process := exec.Command(os.Args[0])
			process.Env = append(os.Environ(), guardRole+"=1")
			stdin, err := process.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := process.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := process.Start(); err != nil {
				t.Fatal(err)
			}
			if err := out.(*os.File).SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			for range 2 { // up, guarded
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if err := end.of(process, stdin); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(lines); err != nil {
				t.Errorf("the child has not ended: %v, %q", err, rest)
			}
			err = process.Wait()
			if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || failed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
				t.Error(err)
			}
		})
	}
}
