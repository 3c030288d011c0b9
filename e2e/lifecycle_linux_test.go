package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// status asks the server for its status over MCP.
func (c *client) status() session.Status {
	c.t.Helper()
	var resource struct{ Contents []struct{ Text string } }
	var status session.Status
	raw := c.request("resources/read", map[string]any{"uri": "tun://status"})
	if err := json.Unmarshal(raw, &resource); err != nil || len(resource.Contents) != 1 {
		c.t.Fatalf("%v in %s", err, raw)
	}
	if err := json.Unmarshal([]byte(resource.Contents[0].Text), &status); err != nil {
		c.t.Fatal(err)
	}
	return status
}

// However the server ends, nothing is left: no process, no namespace (and so no
// device), no socket.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	signal := func(s os.Signal) func(*client) {
		return func(c *client) {
			if err := c.process.Process.Signal(s); err != nil {
				c.t.Error(err)
			}
		}
	}
	ends := []struct {
		name  string
		end   func(*client)
		clean bool // it was asked to end, so its exit status is 0
	}{
		{"EOF", func(c *client) { c.stdin.Close() }, true},
		{"SIGINT", signal(os.Interrupt), true},
		{"SIGTERM", signal(syscall.SIGTERM), true},
		{"SIGKILL", signal(syscall.SIGKILL), false},
	}
	starts := []struct {
		name    string
		command func() *exec.Cmd
	}{
		{"binary", func() *exec.Cmd { return exec.Command(program, "--network", "private") }},
		{"go run", func() *exec.Cmd { return exec.Command("go", "run", ".", "--network", "private") }},
	}
	for _, start := range starts {
		for _, end := range ends {
			if start.name == "go run" && end.name != "EOF" && !tuntest.Long(false, true) {
				continue // each takes the processor for a second
			}
			t.Run(start.name+" "+end.name, func(t *testing.T) {
				t.Parallel()
				if start.name == "go run" && end.name == "SIGINT" {
					// From a terminal, the program gets an interrupt too, and go run
					// leaves it to the program. Here only go run gets it, so stdin is
					// closed as well, as clients do.
					end.end = func(c *client) { signal(os.Interrupt)(c); c.stdin.Close() }
				}
				c := startProgram(t, modernEra, start.command())
				status := c.status()
				// A read is waiting, as it is most of the time in a session.
				c.begin("tools/call", toolCall("read_packet", `{"timeout_ms": 90000}`))
				server, holder := tuntest.Watch(t, status.PID), tuntest.Watch(t, status.Holder)
				namespace := namespaceOf(t, status.Holder)
				end.end(c)
				<-c.closed
				err := c.process.Wait()
				if start.name == "binary" && (err == nil) != end.clean {
					t.Errorf("the server's exit: %v; stderr:\n%s", err, c.errors())
				}
				server()
				holder()
				nobodyIn(t, namespace)
				c.nothingLeft()
			})
		}
	}
}

// namespaceOf returns the network namespace of a process. It keeps the namespace open
// during the test: otherwise the next new namespace would get its number, and another
// test may create one.
func namespaceOf(t *testing.T, pid int) string {
	t.Helper()
	link := fmt.Sprintf("/proc/%d/ns/net", pid)
	held, err := os.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	namespace, err := os.Readlink(link)
	if err != nil {
		t.Fatal(err)
	}
	return namespace
}

// nobodyIn checks that no process is in a network namespace. Then the namespace is
// gone, and its devices with it.
func nobodyIn(t *testing.T, namespace string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(link); to == namespace {
			t.Errorf("%s is still in the namespace", link)
		}
	}
}

// A signal ends even a server whose client does not read.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours, err := os.Pipe() // nobody reads theirs
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	cmd.Stdout = ours
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	blocked := make(chan error, 1)
	go func() { // many large answers fill the pipe and then the server's buffers
		list := `{"jsonrpc":"2.0","id":%d,"method":"tools/list","params":{}}` + "\n"
		for i := range 2000 {
			if _, err := fmt.Fprintf(stdin, list, i); err != nil {
				blocked <- err
				return
			}
		}
		blocked <- nil
	}()
	if err := <-blocked; err != nil {
		t.Fatal(err)
	}
	ended := tuntest.Watch(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended()
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

func TestSecondServerOfTheSameName(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--session", "twin")
	out, err := c.command("--session", "twin").CombinedOutput()
	if want := `a session named "twin" is already running; give this one another name with --session`; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("got %v, %s", err, out)
	}
	if c.status().Session != "twin" {
		t.Error("the first server should keep running")
	}
}

// The socket of a server that was killed and had no holder is taken over.
func TestDeadSocketIsTakenOver(t *testing.T) {
	dir := tuntest.RuntimeDir(t)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	listener, err := control.Claim("ghost")
	if err != nil {
		t.Fatal(err)
	}
	listener.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	listener.Close()
	if _, err := os.Lstat(control.SocketPath("ghost")); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Find("ghost"); err == nil || !strings.Contains(err.Error(), `no session is named "ghost"; none is running; start one with `) {
		t.Errorf("finding a dead session: %v", err)
	}
	if listener, err = control.Claim("ghost"); err != nil {
		t.Errorf("claiming a dead session's name: %v", err)
	} else {
		listener.Close()
	}
}
