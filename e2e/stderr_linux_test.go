package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// fullPipe returns a pipe that is full and that nobody reads.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close(); ours.Close() })
	size, _, failed := syscall.Syscall(syscall.SYS_FCNTL, ours.Fd(), 1032, 0) // F_GETPIPE_SZ of fcntl(2)
	if failed != 0 {
		t.Fatal(failed)
	}
	if _, err := ours.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return ours
}

// A client that does not read its server's stderr is served all the same, and the
// server ends when it is told to.
func TestStderrThatNobodyReads(t *testing.T) {
	for name, end := range map[string]func(c *client){
		"end of stdin": func(c *client) { c.stdin.Close() },
		"SIGTERM":      func(c *client) { _ = c.process.Process.Signal(syscall.SIGTERM) },
	} {
		for _, flags := range []string{"--network memory --impair duplicate=1%", "--network memory --log-level debug", "--network private"} {
			t.Run(name+" "+flags, func(t *testing.T) {
				t.Parallel()
				linkEnds := strings.Contains(flags, "private")
				if linkEnds {
					tuntest.RequirePrivate(t)
				}
				command := exec.Command(program, strings.Fields(flags)...)
				command.Stderr = fullPipe(t)
				c := startProgram(t, modernEra, command)
				if text, failed := c.tool("read_packet", `{"timeout_ms": 0}`); failed || !strings.HasPrefix(text, "no packet") {
					t.Errorf("a read: %s", text)
				}
				if linkEnds { // its end is logged as an error
					waiting, holder := c.waitingRead(), c.status().Holder
					tuntest.Signal(t, holder, syscall.SIGKILL)
					if text, failed := toolText(t, c.wait("the read", waiting).Result); !failed || !strings.Contains(text, fmt.Sprintf("(process %d) ended", holder)) {
						t.Errorf("the waiting read: %s", text)
					}
				}
				end(c)
				ended := make(chan error, 1)
				go func() { ended <- c.process.Wait() }()
				select {
				case err := <-ended:
					if err != nil {
						t.Errorf("the server's exit: %v", err)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("the server did not end")
				}
				c.nothingLeft()
			})
		}
	}
}

// A server that cannot start also ends.
func TestRefusalThatNobodyReads(t *testing.T) {
	t.Parallel()
	c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
	command := c.command("--network", "nowhere")
	command.Stderr = fullPipe(t)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	select {
	case <-ended:
		if status := command.ProcessState.ExitCode(); status != 2 {
			t.Errorf("exit status %d, want 2", status)
		}
	case <-time.After(20 * time.Second):
		_ = command.Process.Kill()
		t.Fatal("the program did not end")
	}
}
