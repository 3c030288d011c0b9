package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A signal ends a command whose output nobody reads, such as `tun-mcp ping | less` when
// less has stopped reading.
func TestSignalEndsACommandThatCannotPrint(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"ping -i 0.001", "watch"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			c := startServer(t, modernEra, "--network", "memory")
			s := c.connect()
			cmd := exec.Command(program, strings.Fields(args)...)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+c.runtime)
			cmd.Stdout = fullPipe(t)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := tuntest.Watch(t, cmd.Process.Pid)
			until(t, "it waits in a write", func() bool {
				c.inject(s, []byte{0x45}) // something to watch
				return writes(t, cmd.Process.Pid)
			})
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			ended()
			_ = cmd.Wait() // status 1, or 0 if it had not printed yet
		})
	}
}

// writes reports whether a thread of a process waits in write(2).
func writes(t *testing.T, pid int) bool {
	t.Helper()
	calls, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/syscall")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		if text, err := os.ReadFile(call); err == nil && strings.HasPrefix(string(text), strconv.Itoa(syscall.SYS_WRITE)+" 0x1 ") {
			return true
		}
	}
	return false
}
