package mcpserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
)

// FuzzStdio: the server survives any lines from a client. It answers each with at most
// one line of JSON-RPC, and then still answers a ping.
func FuzzStdio(f *testing.F) {
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hexdump","arguments":{"hex":"4500"}}}`
	for _, lines := range []string{
		call, call + "\n" + call, call[:40],
		strings.Replace(call, "hexdump", "read_packet", 1),
		`{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}` + "\n" + call,
		`{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"tun://status"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"prompts/get","params":{"name":"answer-pings","arguments":{"count":"5"}}}`,
		`{"jsonrpc":"2.0","id":4,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
	} {
		f.Add([]byte(lines))
	}
	// On a link that has ended, no call waits for a packet.
	s := session.New(ended{}, session.Config{})
	f.Cleanup(func() { s.Close() })
	<-s.Done()
	status := func() session.Status { return s.Fill(session.Status{Agent: "10.77.0.2", Peer: "10.77.0.1/24"}) }
	host := &tools.Host{Session: s, Assist: tools.AssistFix, Own: []netip.Addr{netip.MustParseAddr("10.77.0.2")}, Status: status}
	all := host.All()
	f.Fuzz(func(t *testing.T, lines []byte) {
		if bytes.Count(lines, []byte("\n")) > maxRequests/2 {
			return // leave room for the last request
		}
		server, err := New(Config{Version: "test", Tools: all, Status: status})
		if err != nil {
			t.Fatal(err)
		}
		out := &heard{last: make(chan struct{})}
		// The client hangs up after the answer to its last request.
		in := io.MultiReader(bytes.NewReader(lines), strings.NewReader("\n"+lastRequest+"\n"), hangsUp{out.last})
		if err := ServeStdio(t.Context(), server, in, out); err != nil {
			t.Fatal(err)
		}
		out.check(t, lines)
	})
}

const (
	lastID      = `"the last one"`
	lastRequest = `{"jsonrpc":"2.0","id":` + lastID + `,"method":"ping"}`
)

// heard collects the server's output.
type heard struct {
	mu   sync.Mutex // guards the fields below, since late answers come after the end
	text bytes.Buffer
	last chan struct{} // closed when the last request is answered
	once sync.Once
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if bytes.Contains(b, []byte(lastID)) {
		h.once.Do(func() { close(h.last) })
	}
	return h.text.Write(b)
}

func (h *heard) check(t *testing.T, lines []byte) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var asked []any
	for line := range bytes.Lines(append(bytes.Clone(lines), "\n"+lastRequest...)) {
		var request struct {
			ID any `json:"id"`
		}
		_ = json.Unmarshal(line, &request) // a line that is not a request has no id
		asked = append(asked, request.ID)
	}
	nameless := 0
	for line := range bytes.Lines(h.text.Bytes()) {
		var answer struct {
			JSONRPC       string          `json:"jsonrpc"`
			ID            any             `json:"id"`
			Method        string          `json:"method"`
			Result, Error json.RawMessage //
		}
		if err := json.Unmarshal(line, &answer); err != nil || answer.JSONRPC != "2.0" {
			t.Fatalf("%q: the answer is %q, %v", lines, line, err)
		}
		if answer.Method != "" {
			if answer.ID != nil {
				t.Errorf("%q: the server sends the request %q", lines, line)
			}
			continue
		}
		if (answer.Result == nil) == (answer.Error == nil) {
			t.Errorf("%q: neither result nor error, or both, in %q", lines, line)
		}
		// An answer without an id is for a line whose id could not be read. Answers may
		// come in any order, so those with an id take their lines first.
		if answer.ID == nil {
			nameless++
			continue
		}
		at := slices.IndexFunc(asked, func(id any) bool { return reflect.DeepEqual(id, answer.ID) })
		if at < 0 {
			t.Errorf("%q: no request for the answer %q", lines, line)
			continue
		}
		asked = slices.Delete(asked, at, at+1)
	}
	if nameless > len(asked) {
		t.Errorf("%q: %d answers without an id, and %d lines without another answer", lines, nameless, len(asked))
	}
}

// hangsUp is a reader that ends the input when the client hangs up.
type hangsUp struct{ when <-chan struct{} }

func (h hangsUp) Read([]byte) (int, error) {
	select {
	case <-h.when:
	case <-time.After(time.Minute):
		panic("the last request was not answered")
	}
	return 0, io.EOF
}

// ended is a device that has ended.
type ended struct{}

func (ended) Read([]byte) (int, error)  { return 0, os.ErrClosed }
func (ended) Write([]byte) (int, error) { return 0, os.ErrClosed }
func (ended) Close() error              { return nil }
