package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// If a client is killed, its stdin may stay open: a child has it, or `go run` stands
// between. The server notices that its parent is gone.
func TestClientKilledInMidRead(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	script := `exec 3<&0; "$0" --network private <&3 & wait`
	c := startProgram(t, modernEra, exec.Command("sh", "-c", script, program))
	c.waitingRead()
	status := c.status()
	server, holder := tuntest.Watch(t, status.PID), tuntest.Watch(t, status.Holder)
	if err := c.process.Process.Kill(); err != nil { // the test keeps stdin open
		t.Fatal(err)
	}
	server()
	holder()
	c.nothingLeft()
}

// A process gets SIGHUP when its terminal closes.
func TestTerminalClosed(t *testing.T) {
	t.Parallel()
	// Under nohup this process would pass on that SIGHUP is ignored. A caught signal is
	// not inherited.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	c := startServer(t, modernEra, "--network", "memory")
	if err := c.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-c.closed
	if err := c.process.Wait(); err != nil {
		t.Errorf("the server's exit: %v; stderr:\n%s", err, c.errors())
	}
	c.nothingLeft()
}

// A client that closes its ends of stdout and stderr but not of stdin is gone. The
// server ends in order and is not killed by SIGPIPE.
func TestClientClosesStdout(t *testing.T) {
	t.Parallel()
	c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
	cmd := c.command("--network", "memory")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	theirs.Close() // nobody reads
	cmd.Stdout, cmd.Stderr = ours, ours
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	if _, err := fmt.Fprintln(stdin, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server's exit: %v", err)
	}
	c.nothingLeft()
}

func TestStdinClosedAtOnce(t *testing.T) {
	t.Parallel()
	c := &client{t: t, runtime: tuntest.RuntimeDir(t)}
	cmd := c.command() // its stdin is /dev/null
	if out, err := cmd.Output(); err != nil || len(out) > 0 {
		t.Errorf("exit %v, stdout %q", err, out)
	}
	c.nothingLeft()
}

// A line of 100 MB is read to its end, not kept, and answered with the reason.
func TestLineOf100MB(t *testing.T) {
	t.Parallel()
	c := startServer(t, legacyEra, "--network", "memory")
	peak := func() (kilobytes int) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(string(status), "VmHWM:")
		if _, err := fmt.Sscan(line, &kilobytes); err != nil {
			t.Fatalf("%v in %s", err, status)
		}
		return kilobytes
	}
	before := peak()
	piece := strings.Repeat("45", 1<<19)
	line := `{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"write_packet","arguments":{"packets":[{"hex":"`
	for range 100 {
		if _, err := c.stdin.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		line = piece
	}
	if _, err := c.stdin.Write([]byte(piece + `"}]}}}` + "\n")); err != nil {
		t.Fatal(err)
	}
	if text, failed := c.tool("read_packet", `{"timeout_ms": 0}`); failed || !strings.HasPrefix(text, "no packet") {
		t.Errorf("after the line: %s", text)
	}
	if grown := peak() - before; grown > 90<<10 {
		t.Errorf("the server's memory has grown by %d kB for a line that it does not serve", grown)
	} else {
		t.Logf("the server's memory has grown by %d kB", grown)
	}
	c.endsClean()
	refused := 0
	for _, line := range c.raw {
		refused += strings.Count(line, "the message is longer than 16777216 bytes: write fewer packets in a call")
	}
	if refused != 1 {
		t.Errorf("the line was refused %d times", refused)
	}
}
