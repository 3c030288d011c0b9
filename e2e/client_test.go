package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The two eras of MCP: with a handshake, and with self-contained requests.
const (
	legacyEra = "2025-11-25"
	modernEra = "2026-07-28"
)

// bothEras runs a test once per protocol era.
func bothEras(t *testing.T, test func(t *testing.T, era string)) {
	for _, era := range []string{legacyEra, modernEra} {
		t.Run(era, func(t *testing.T) { test(t, era) })
	}
}

// client is an MCP client over the stdio of a real server process. It has its own
// JSON-RPC, because the SDK's client would hide the SDK's mistakes.
type client struct {
	t       testing.TB
	era     string
	process *exec.Cmd
	// The capabilities that it announces.
	capabilities map[string]any
	stdin        io.WriteCloser
	runtime      string // XDG_RUNTIME_DIR of the server, for commands that look for it

	mu      sync.Mutex // guards the fields below
	last    int        // id of the last request
	waiting map[int]chan answer
	raw     []string // every line that the server wrote
	forgets bool     // raw stays empty
	stderr  strings.Builder
	closed  chan struct{} // the server's stdout has ended
}

type answer struct {
	ID     *int            `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// patience bounds every wait of a test. It is long enough for a busy machine.
const patience = 30 * time.Second

// until waits until holds returns true, which should be soon.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// startServer starts the server and begins a conversation of an era.
func startServer(t testing.TB, era string, args ...string) *client {
	t.Helper()
	return startProgram(t, era, exec.Command(program, args...))
}

func startProgram(t testing.TB, era string, command *exec.Cmd) *client {
	t.Helper()
	return startProgramFor(t, era, map[string]any{}, command)
}

// startProgramFor is startProgram for a client with capabilities.
func startProgramFor(t testing.TB, era string, capabilities map[string]any, command *exec.Cmd) *client {
	t.Helper()
	dir := tuntest.RuntimeDir(t)
	c := &client{t: t, era: era, capabilities: capabilities, process: command, runtime: dir, waiting: map[int]chan answer{}, closed: make(chan struct{})}
	command.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	if command.Stderr == nil {
		command.Stderr = lockedWriter{&c.mu, &c.stderr}
	}
	var err error
	if c.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.stdin.Close()
		command.Process.Kill()
		command.Wait()
	})
	go c.receive(stdout)
	if era == legacyEra {
		c.request("initialize", map[string]any{
			"protocolVersion": legacyEra, "capabilities": capabilities,
			"clientInfo": map[string]any{"name": "test", "version": "1"}})
		c.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/initialized"})
	} else {
		c.request("server/discover", map[string]any{})
	}
	return c
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// receive passes each answer to the request that waits for it.
func (c *client) receive(stdout io.Reader) {
	defer close(c.closed)
	lines := bufio.NewReaderSize(stdout, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			c.mu.Lock()
			if !c.forgets {
				c.raw = append(c.raw, line)
			}
			c.mu.Unlock()
			var a answer
			if json.Unmarshal([]byte(line), &a) == nil && a.ID != nil {
				c.mu.Lock()
				waiting := c.waiting[*a.ID]
				delete(c.waiting, *a.ID)
				c.mu.Unlock()
				if waiting != nil {
					waiting <- a
				}
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *client) send(message any) {
	data, err := json.Marshal(message)
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// If the server has ended, the missing answer shows it.
	_, _ = c.stdin.Write(append(data, '\n'))
}

// begin sends a request and returns its id and the channel for its answer.
func (c *client) begin(method string, params map[string]any) (int, <-chan answer) {
	if c.era == modernEra {
		with := map[string]any{"_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion":    modernEra,
			"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "test", "version": "1"},
			"io.modelcontextprotocol/clientCapabilities": c.capabilities,
		}}
		for key, value := range params {
			with[key] = value
		}
		params = with
	}
	c.mu.Lock()
	c.last++
	id, waiting := c.last, make(chan answer, 1)
	c.waiting[id] = waiting
	c.mu.Unlock()
	c.send(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	return id, waiting
}

// cancel cancels a request. It is then answered only if it had already done something.
func (c *client) cancel(id int) {
	c.send(map[string]any{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": map[string]any{"requestId": id}})
}

// request sends a request and returns its result; an error fails the test.
func (c *client) request(method string, params map[string]any) json.RawMessage {
	c.t.Helper()
	_, waiting := c.begin(method, params)
	a := c.wait(method, waiting)
	if a.Error != nil {
		c.t.Fatalf("%s: error %d: %s", method, a.Error.Code, a.Error.Message)
	}
	return a.Result
}

func (c *client) wait(what string, waiting <-chan answer) answer {
	c.t.Helper()
	select {
	case a := <-waiting:
		return a
	case <-c.closed:
		select {
		case a := <-waiting:
			return a
		default:
		}
		c.t.Fatalf("%s: the server ended; stderr:\n%s", what, c.errors())
	case <-time.After(patience):
		c.t.Fatalf("%s: no answer in %v; stderr:\n%s", what, patience, c.errors())
	}
	panic("unreachable")
}

func (c *client) errors() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stderr.String()
}

// toolCall returns the params of a tool call. arguments is JSON.
func toolCall(name, arguments string) map[string]any {
	return map[string]any{"name": name, "arguments": json.RawMessage(arguments)}
}

// tool calls a tool and returns its text and whether it is an error.
func (c *client) tool(name, arguments string) (string, bool) {
	c.t.Helper()
	return toolText(c.t, c.request("tools/call", toolCall(name, arguments)))
}

func toolText(t testing.TB, result json.RawMessage) (string, bool) {
	t.Helper()
	var r struct {
		Content []struct{ Type, Text string }
		IsError bool
	}
	if err := json.Unmarshal(result, &r); err != nil || len(r.Content) != 1 || r.Content[0].Type != "text" {
		t.Fatalf("a tool result should be one text, got %s (%v)", result, err)
	}
	return r.Content[0].Text, r.IsError
}

// command returns another invocation of the program that finds this server.
func (c *client) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+c.runtime)
	return cmd
}

// nothingLeft checks that no file is left in the folder of the control socket.
func (c *client) nothingLeft() {
	c.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(c.runtime, "tun-mcp", "*")); len(left) > 0 {
		c.t.Errorf("left behind: %v", left)
	}
}
