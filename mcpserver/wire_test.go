package mcpserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// wire is the client's end of a stdio server in this process, in a bubble.
type wire struct {
	t     *testing.T
	in    *io.PipeWriter // the server's stdin
	out   *io.PipeReader // its stdout
	lines chan string    // the lines from the server, once hear was called
	ended chan error     // the result of ServeStdio
}

// onWire serves tools for tests: say returns its text, wait waits until it is cancelled
// and then fails, act does the same after it has done something, fail panics. Swift is
// wait without arguments and say with them, and says itself when it waits.
func onWire(t *testing.T, test func(t *testing.T, w *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tool := func(name string, call func(context.Context, json.RawMessage) (string, error)) tools.Tool {
			return tools.Tool{Name: name, Schema: map[string]any{"type": "object"}, Call: call}
		}
		server, err := mcpserver.New(mcpserver.Config{Status: func() session.Status { return session.Status{} }, Tools: []tools.Tool{
			tool("say", func(_ context.Context, text json.RawMessage) (string, error) { return "said " + string(text), nil }),
			tool("wait", func(ctx context.Context, _ json.RawMessage) (string, error) {
				<-ctx.Done()
				return "", errors.New("waited in vain")
			}),
			tool("act", func(ctx context.Context, _ json.RawMessage) (string, error) {
				<-ctx.Done()
				return "acted", nil
			}),
			{Name: "swift", Schema: map[string]any{"type": "object"}, Swift: true, Call: func(ctx context.Context, text json.RawMessage) (string, error) {
				if len(text) > 2 { // it does not wait
					return "swift " + string(text), nil
				}
				session.BeforeWait(ctx)
				session.BeforeWait(ctx)
				<-ctx.Done()
				return "", errors.New("waited in vain")
			}},
			tool("fail", func(context.Context, json.RawMessage) (string, error) { panic("out of order") }),
		}})
		if err != nil {
			t.Fatal(err)
		}
		theirIn, in := io.Pipe()
		out, theirOut := io.Pipe()
		w := &wire{t: t, in: in, out: out, lines: make(chan string, 1000), ended: make(chan error, 1)}
		go func() {
			w.ended <- mcpserver.ServeStdio(t.Context(), server, theirIn, theirOut)
			theirOut.Close()
		}()
		test(t, w)
		in.Close()
		out.Close()
		synctest.Wait()
	})
}

// hear starts to read the server's output.
func (w *wire) hear() {
	go func() {
		for scanner := bufio.NewScanner(w.out); scanner.Scan(); {
			w.lines <- scanner.Text()
		}
	}()
}

// send writes lines, or parts of them, at once.
func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.in, text); err != nil {
		w.t.Fatal(err)
	}
}

// heard waits until everything in the bubble is blocked, and returns the lines that the
// server has written since the last call.
func (w *wire) heard() []string {
	synctest.Wait()
	var all []string
	for len(w.lines) > 0 {
		all = append(all, <-w.lines)
	}
	slices.Sort(all) // answers come in any order
	return all
}

// want checks that the server has written one line with each of parts, and no others.
func (w *wire) want(parts ...string) {
	w.t.Helper()
	got := w.heard()
	for _, part := range parts {
		i := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, part) })
		if i < 0 {
			w.t.Errorf("no line has %s", part)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, line := range got {
		w.t.Errorf("unexpected line: %s", line)
	}
}

// call returns a line that calls a tool. The id is JSON.
func call(id, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", id, tool, arguments)
}

// cancel returns a line that cancels a request.
func cancel(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`+"\n", id)
}
