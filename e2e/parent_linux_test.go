package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A server started with nohup outlives the shell that started it, until its client ends
// it.
func TestNohup(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "nohup")
	script := `exec 3<&0; nohup "$0" --network memory <&3 & wait`
	c := startProgram(t, modernEra, exec.Command("sh", "-c", script, program))
	ended := tuntest.Watch(t, c.status().PID)
	if err := c.process.Process.Kill(); err != nil { // the test keeps stdin open
		t.Fatal(err)
	}
	// A watch of the parent, which must not exist here, would look four times.
	if text, failed := c.tool("read_packet", `{"timeout_ms": 1000}`); failed || !strings.HasPrefix(text, "no packet in 1000 ms") {
		t.Errorf("the server that was to go on: %s", text)
	}
	c.stdin.Close()
	ended()
	c.nothingLeft()
}

// A parent that ends while the link is being opened is noticed too.
func TestParentGoneBeforeTheLinkIsOpen(t *testing.T) {
	t.Parallel()
	c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
	dir := filepath.Join(c.runtime, "tun-mcp")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Open(dir) // the server needs this lock before it opens a link
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	cmd := c.command()
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `exec 3<&0; "$0" --network memory <&3 & echo $!; wait`, program}
	stdin, err := cmd.StdinPipe() // the test keeps stdin open
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	var pid int
	if _, err := fmt.Fscanln(stdout, &pid); err != nil {
		t.Fatal(err)
	}
	until(t, "the server waits for the lock", func() bool {
		locks, err := os.ReadFile("/proc/locks")
		return err == nil && strings.Contains(string(locks), fmt.Sprintf("-> FLOCK  ADVISORY  WRITE %d ", pid))
	})
	ended := tuntest.Watch(t, pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	lock.Close()
	ended()
	c.nothingLeft()
}

// The result of a waiting read says why the server ends, because there is no next read.
func TestReadHearsTheEnd(t *testing.T) {
	t.Parallel()
	for why, end := range map[string]func(*client){
		"interrupt signal received":             func(c *client) { c.process.Process.Signal(os.Interrupt) },
		"its client has closed stdin or stdout": func(c *client) { c.stdin.Close() },
	} {
		t.Run(why, func(t *testing.T) {
			c := startServer(t, modernEra, "--network", "memory")
			waiting := c.waitingRead()
			end(c)
			text, failed := toolText(t, c.wait("the read", waiting).Result)
			if want := "the read was cancelled and took no packet: this server is ending (" + why + ")"; !failed || text != want {
				t.Errorf("got %s, want %s", text, want)
			}
		})
	}
}

// Stdin from the null device is not a terminal, so the server prints no hint for a user
// who types.
func TestNullDeviceIsNoTerminal(t *testing.T) {
	t.Parallel()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := (&client{t: t, runtime: tuntest.RuntimeDir(t)}).command("--network", "memory")
	cmd.Stdin = null
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "waiting for an MCP client") {
		t.Errorf("%v\n%s", err, out)
	}
}
