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

// wire is a client's end of the stdio of a server in this process, in a bubble.
type wire struct {
	t     *testing.T
	in    *io.PipeWriter // the server's stdin
	out   *io.PipeReader // its stdout
	lines chan string    // what it wrote, as far as hear was called
	ended chan error     // what ServeStdio returned
}

// onWire serves tools that a test can hold up: say returns its text, wait goes
// on until it is cancelled and is an error then, act has done something before,
// fail panics.
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

// hear begins to read what the server writes.
func (w *wire) hear() {
	go func() {
		for scanner := bufio.NewScanner(w.out); scanner.Scan(); {
			w.lines <- scanner.Text()
		}
	}()
}

// send writes lines, or pieces of them, all at once.
func (w *wire) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.in, text); err != nil {
		w.t.Fatal(err)
	}
}

// heard returns what the server has written since it was last asked, once
// nothing in the bubble can go on by itself.
func (w *wire) heard() []string {
	synctest.Wait()
	var all []string
	for len(w.lines) > 0 {
		all = append(all, <-w.lines)
	}
	slices.Sort(all) // answers come in any order
	return all
}

// want checks that for each of parts, and for nothing else, a line was written
// that has it.
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
		w.t.Errorf("unasked for: %s", line)
	}
}

// call is a line that calls a tool; the id is JSON.
func call(id, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", id, tool, arguments)
}

// cancel is a line that cancels a request.
func cancel(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`+"\n", id)
}
