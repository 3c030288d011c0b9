package mcpserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// A long read is answered by an event stream that starts early, if the client accepts
// one. A short read is always answered by a JSON object.
func TestLongReadIsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		for _, test := range []struct {
			accept, wait, kind string
			beats              int
		}{
			{"application/json, text/event-stream", "90000", "text/event-stream", 5}, // the sixth comes with the answer
			{"application/json, text/event-stream", "14000", "application/json", 0},
			{"application/json", "90000", "application/json", 0},
		} {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","arguments":{"timeout_ms":`+test.wait+`}}}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", test.accept)
			r.Header.Set(mcp.HeaderSessionID, p.session)
			w := httptest.NewRecorder()
			start := time.Now()
			s.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != test.kind {
				t.Errorf("%s: %d, %s", test.wait, w.Code, got)
			}
			if got := strings.Count(w.Body.String(), ": the call is under way\n\n"); got < test.beats || test.beats == 0 && got > 0 {
				t.Errorf("%s: %d beats in %v", test.wait, got, time.Since(start))
			}
			if got := said(w); !strings.HasPrefix(got, "no packet in "+test.wait+" ms") {
				t.Errorf("%s: %s in %s", test.wait, got, w.Body)
			}
		}
	})
}
