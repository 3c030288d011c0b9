package mcpserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mark3labs/mcp-go/mcp"
)

// HTTP has the same rules for messages as stdio.
func TestHTTPMessageRules(t *testing.T) {
	const meta = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	list := func(id string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/list","params":{"_meta":` + meta + `}}`
	}
	const badID = `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the id is %s; accepted: a string, or a number below 2^53"}}`
	for name, test := range map[string]struct {
		body   string
		status int
		want   string // part of the answer
	}{
		"served":          {list("7"), http.StatusOK, `"name":"read_packet"`},
		"white space":     {" \r\n\t" + list("7") + "\n", http.StatusOK, `"name":"read_packet"`},
		"2^53":            {list("9007199254740993"), http.StatusBadRequest, fmt.Sprintf(badID, "9007199254740993")},
		"null as id":      {list("null"), http.StatusBadRequest, fmt.Sprintf(badID, "null")},
		"object as id":    {list(`{}`), http.StatusBadRequest, fmt.Sprintf(badID, "{}")},
		"batch":           {"[" + list("7") + "]", http.StatusBadRequest, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not a JSON object: send each JSON-RPC message by itself, batches are not supported"}}`},
		"half a message":  {list("7")[:30], http.StatusBadRequest, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not a JSON-RPC message: unexpected end of JSON input"}}`},
		"not UTF-8":       {list("\"caf\xe9\""), http.StatusBadRequest, `"error":{"code":-32700,"message":"the message is not UTF-8: byte 26 is 0xe9; send text as UTF-8`},
		"mistyped method": {`{"jsonrpc":"2.0","id":8,"method":5}`, http.StatusBadRequest, `{"jsonrpc":"2.0","id":8,"error":{"code":-32600,"message":"the method is missing, empty or not a string"}}`},
		"only an id":      {`{"jsonrpc":"2.0","id":8}`, http.StatusBadRequest, `{"jsonrpc":"2.0","id":8,"error":{"code":-32600,`},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveTest(t)
			p := s.client(legacyEra)
			for _, era := range []string{legacyEra, modernEra} {
				body := test.body
				if era == legacyEra {
					body = strings.Replace(body, meta, "{}", 1)
				}
				r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set(mcp.HeaderProtocolVersion, era)
				r.Header.Set(mcp.HeaderSessionID, p.session)
				r.Header.Set("Mcp-Method", "tools/list")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
					t.Errorf("%s: got %d %s, want %d %s", era, w.Code, w.Body, test.status, test.want)
				}
			}
		})
	}
}

// Two requests of one session may not have the same id at the same time.
func TestDuplicateIDOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p, other := s.client(legacyEra), s.client(legacyEra)
		first, others := p.begin(t.Context(), 1), other.begin(t.Context(), 1)
		w := p.post(t.Context(), `{"jsonrpc":"2.0","id":1.0,"method":"tools/list"}`)
		if want := `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a request with the id 1 is in progress: give each request its own id"}}`; w.Code != http.StatusBadRequest || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("the second got %d %s", w.Code, w.Body)
		}
		if w := p.post(t.Context(), `{"jsonrpc":"2.0","id":"1","method":"tools/list"}`); w.Code != http.StatusOK {
			t.Errorf("another id got %d %s", w.Code, w.Body)
		}
		s.waits(first)
		if w := p.post(t.Context(), `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1.0}}`); w.Code != http.StatusAccepted {
			t.Errorf("the cancellation got %d %s", w.Code, w.Body)
		}
		synctest.Wait()
		s.wants(first, "the read was cancelled")
		if w := p.post(t.Context(), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); w.Code != http.StatusOK {
			t.Errorf("the same id, now free, got %d %s", w.Code, w.Body)
		}
		s.waits(others)
		s.stop()
		synctest.Wait()
	})
}
