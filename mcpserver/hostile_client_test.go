package mcpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// reader is an MCP client of a server in this process. The test is the peer of its
// link. It returns what a model would see.
type reader struct {
	t       *testing.T
	device  *tuntest.Device
	session *session.Session
	assist  tools.Assist
	in      io.WriteCloser
	out     *bufio.Reader
	last    int // id of the last request
}

func newReader(t *testing.T, assist tools.Assist, noASCII bool) *reader {
	t.Helper()
	device := tuntest.NewDevice()
	s := session.New(device, session.Config{Name: "hostile", MTU: 1500})
	host := &tools.Host{Session: s, Assist: assist, NoASCII: noASCII, Own: []netip.Addr{netip.MustParseAddr("10.77.0.2")}}
	host.Status = func() session.Status {
		return s.Fill(session.Status{Device: "tun0", Link: "up", Network: "private", PingWith: "tun-mcp exec -- ping 10.77.0.2", Peer: "10.77.0.1/24", Agent: "10.77.0.2"})
	}
	server, err := New(Config{Version: "test", Tools: host.All(), Status: host.Status})
	if err != nil {
		t.Fatal(err)
	}
	serverIn, in := io.Pipe()
	out, serverOut := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = ServeStdio(ctx, server, serverIn, serverOut)
	}()
	r := &reader{t: t, device: device, session: s, assist: assist, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		in.Close()
		out.Close()
		cancel()
		<-served
		s.Close()
	})
	r.request("initialize", map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "test", "version": "1"}})
	return r
}

// request sends a request and returns the result. It checks that the line with the
// result is printable ASCII, as it must be for terminals and logs.
func (r *reader) request(method string, params any) json.RawMessage {
	r.t.Helper()
	r.last++
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.last, "method": method, "params": params})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		r.t.Fatal(err)
	}
	answered, err := r.out.ReadString('\n')
	if err != nil {
		r.t.Fatal(err)
	}
	var answer struct {
		ID     int             `json:"id"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal([]byte(answered), &answer); err != nil || answer.ID != r.last || answer.Result == nil {
		r.t.Fatalf("%s %s: %v in the answer\n%s", method, line, err, answered)
	}
	if method == "tools/call" && !printable(strings.TrimSuffix(answered, "\n")) {
		r.t.Errorf("%s: the line is not printable ASCII: %q", line, answered)
	}
	return answer.Result
}

// call calls a tool and returns its text. It checks that the result has nothing else.
func (r *reader) call(tool, arguments string, values ...any) string {
	r.t.Helper()
	result := r.request("tools/call", map[string]any{"name": tool, "arguments": json.RawMessage(fmt.Sprintf(arguments, values...))})
	var answer map[string]json.RawMessage
	var content []struct{ Type, Text string }
	if err := json.Unmarshal(result, &answer); err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(answer["content"], &content); err != nil || len(content) != 1 || content[0].Type != "text" || answer["structuredContent"] != nil {
		r.t.Fatalf("the result of %s is more than a text: %s", tool, result)
	}
	return content[0].Text
}

// status returns the resource tun://status.
func (r *reader) status() string {
	r.t.Helper()
	var answer struct{ Contents []struct{ Text string } }
	if err := json.Unmarshal(r.request("resources/read", map[string]any{"uri": "tun://status"}), &answer); err != nil || len(answer.Contents) != 1 {
		r.t.Fatalf("tun://status: %v", err)
	}
	return answer.Contents[0].Text
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}
