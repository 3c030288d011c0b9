package mcpserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// Too many sessions push out those that are quiet, the oldest first; while none
// is, they are refused.
func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		first := s.client(legacyEra)
		waiting := first.begin(t.Context(), 1) // busy for a minute
		time.Sleep(time.Second)
		second := s.client(legacyEra)
		time.Sleep(time.Second)
		for range mostSessions - 2 {
			s.client(legacyEra)
		}
		stranger := &peer{served: s, era: legacyEra}
		w := stranger.post(t.Context(), initialize)
		if want := fmt.Sprintf("%d sessions are open", mostSessions); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) || w.Header().Get("Retry-After") == "" {
			t.Errorf("one session too many: %d %s", w.Code, w.Body)
		}
		time.Sleep(quietSession)
		third := s.client(legacyEra)
		if got := second.read(t.Context(), 1, `{}`); !strings.HasPrefix(got, "404 no session has this Mcp-Session-Id") {
			t.Errorf("the session that was quiet for longest: %s", got)
		}
		for _, p := range []*peer{first, third} {
			if got := p.read(t.Context(), 2, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
				t.Errorf("a session that should be kept: %s", got)
			}
		}
		s.waits(waiting)
		s.stop()
		synctest.Wait()
	})
}

// However a client names its revision, it gets no session past the bound.
func TestSessionsAreBoundedInAnyLetterCase(t *testing.T) {
	for name, replaced := range map[string]struct{ old, new string }{
		"older":            {`"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25"},`},
		"newer":            {`"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},`},
		"upper case":       {`"params":{`, `"params":{"_meta":{"IO.modelcontextprotocol/protocolVersion":"2026-07-28"},`},
		"taken back":       {`"params":{`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"_meta":{},`},
		"mistyped at last": {`"method"`, `"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}},"params":5,"method"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serveTest(t)
				stranger := &peer{served: s, era: legacyEra}
				given := 0
				for range mostSessions + 10 {
					if w := stranger.post(t.Context(), strings.Replace(initialize, replaced.old, replaced.new, 1)); w.Header().Get(mcp.HeaderSessionID) != "" {
						given++
					}
				}
				if given > mostSessions {
					t.Errorf("%d sessions were given", given)
				}
				time.Sleep(quietSession)
				s.client(legacyEra)
			})
		})
	}
}

// Sessions that are being opened take the place of one quiet session each.
func TestSessionsOpenedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		for range mostSessions {
			s.client(legacyEra)
		}
		time.Sleep(quietSession)
		held := make(chan struct{})
		for range 40 {
			go func() {
				r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(initialize))
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if s.ServeHTTP(heldAnswer{w, held}, r); w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}()
			synctest.Wait()
		}
		close(held)
		synctest.Wait()
	})
}

// heldAnswer is one to a client that takes it late.
type heldAnswer struct {
	*httptest.ResponseRecorder
	held <-chan struct{}
}

func (h heldAnswer) Write(p []byte) (int, error) {
	<-h.held
	return h.ResponseRecorder.Write(p)
}

// A session that the client was not told of is not kept: it had gone before.
func TestSessionOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		gone, vanish := context.WithCancel(t.Context())
		vanish()
		stranger := &peer{served: s, era: legacyEra}
		for range mostSessions + 1 {
			stranger.post(gone, initialize)
		}
		s.client(legacyEra)
	})
}

func TestIdleSessionIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		time.Sleep(idleSession - time.Second)
		if got := p.read(t.Context(), 1, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
			t.Errorf("before it is idle for too long: %s", got)
		}
		time.Sleep(idleSession)
		if got := p.read(t.Context(), 2, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "404 ") {
			t.Errorf("after: %s", got)
		}
	})
}

// A DELETE ends the session and what waits in it, and nothing else.
func TestDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p, other := s.client(legacyEra), s.client(legacyEra)
		said, others := p.begin(t.Context(), 1), other.begin(t.Context(), 1)
		for _, want := range []int{http.StatusOK, http.StatusNotFound} {
			r := httptest.NewRequest(http.MethodDelete, "http://localhost/mcp", nil)
			r.Header.Set(mcp.HeaderSessionID, p.session)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("DELETE: %d %s, want %d", w.Code, w.Body, want)
			}
		}
		synctest.Wait()
		s.wants(said, "the read was cancelled")
		s.waits(others)
		s.stop()
		synctest.Wait()
	})
}
