package mcpserver

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// A cancellation with a header that is refused cancels nothing.
func TestRefusedCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		said := p.begin(t.Context(), 1)
		for _, header := range []struct{ name, value, want string }{
			{"Content-Type", "text/plain", `the Content-Type is "text/plain"; accepted: application/json`},
			{"Content-Type", "", `the Content-Type is ""; accepted: application/json`},
			{mcp.HeaderProtocolVersion, "1999-01-01", `Mcp-Protocol-Version is "1999-01-01"; accepted: `},
		} {
			r := request(p.session, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
			r.Header.Set(header.name, header.value)
			if w := answerTo(s, r); w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Body.String(), header.want) {
				t.Errorf("%v: %d %s", header, w.Code, w.Body)
			}
		}
		synctest.Wait()
		s.waits(said)
		s.stop()
		synctest.Wait()
	})
}

// An initialize that is refused, or needs no answer, does not end another session.
func TestRefusedInitialize(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body string
		waiting    int // reads that wait
		status     int
	}{
		"wrong type":        {"text/plain", initialize, 0, http.StatusBadRequest},
		"notification":      {"application/json", strings.Replace(initialize, `"id":0,`, "", 1), 0, http.StatusBadRequest},
		"too many requests": {"application/json", initialize, maxRequests, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serveTest(t)
				quiet := s.client(legacyEra)
				time.Sleep(time.Second)
				for range maxSessions - 2 {
					s.client(legacyEra)
				}
				busy := s.client(legacyEra)
				for id := range test.waiting {
					busy.begin(t.Context(), id)
				}
				time.Sleep(quietSession)
				r := request("", test.body)
				r.Header.Set("Content-Type", test.kind)
				if w := answerTo(s, r); w.Code != test.status {
					t.Errorf("%d %s, want %d", w.Code, w.Body, test.status)
				}
				s.stop()
				synctest.Wait()
				if w := quiet.post(t.Context(), `{"jsonrpc":"2.0","id":1,"method":"ping"}`); w.Code != http.StatusOK {
					t.Errorf("the session that was quiet for longest: %d %s", w.Code, w.Body)
				}
			})
		})
	}
}
