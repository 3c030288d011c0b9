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

// Over the limit, a new session replaces the one that has been quiet for longest. If
// none is quiet, the new session is refused.
func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		first := s.client(legacyEra)
		waiting := first.begin(t.Context(), 1) // keeps the session busy for a minute
		time.Sleep(time.Second)
		second := s.client(legacyEra)
		time.Sleep(time.Second)
		for range maxSessions - 2 {
			s.client(legacyEra)
		}
		stranger := &peer{served: s, era: legacyEra}
		w := stranger.post(t.Context(), initialize)
		if want := fmt.Sprintf("%d sessions are open", maxSessions); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), want) || w.Header().Get("Retry-After") == "" {
			t.Errorf("one session too many got %d %s", w.Code, w.Body)
		}
		time.Sleep(quietSession)
		third := s.client(legacyEra)
		if got := second.read(t.Context(), 1, `{}`); !strings.HasPrefix(got, "404 no session has this Mcp-Session-Id") {
			t.Errorf("the session that was quiet for longest got %s", got)
		}
		for _, p := range []*peer{first, third} {
			if got := p.read(t.Context(), 2, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
				t.Errorf("a session that should stay got %s", got)
			}
		}
		s.waits(waiting)
		s.stop()
		synctest.Wait()
	})
}

// The limit holds for any spelling of the revision.
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
				for range maxSessions + 10 {
					if w := stranger.post(t.Context(), strings.Replace(initialize, replaced.old, replaced.new, 1)); w.Header().Get(mcp.HeaderSessionID) != "" {
						given++
					}
				}
				if given > maxSessions {
					t.Errorf("%d sessions were opened", given)
				}
				time.Sleep(quietSession)
				s.client(legacyEra)
			})
		})
	}
}

// Sessions opened at the same time each replace one quiet session.
func TestSessionsOpenedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		for range maxSessions {
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

// heldAnswer is an answer to a client that reads it late.
type heldAnswer struct {
	*httptest.ResponseRecorder
	held <-chan struct{}
}

func (h heldAnswer) Write(p []byte) (int, error) {
	<-h.held
	return h.ResponseRecorder.Write(p)
}

// A session is not kept if its client has left before it got the id.
func TestSessionOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		gone, vanish := context.WithCancel(t.Context())
		vanish()
		stranger := &peer{served: s, era: legacyEra}
		for range maxSessions + 1 {
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
			t.Errorf("before the idle time has passed: %s", got)
		}
		time.Sleep(idleSession)
		if got := p.read(t.Context(), 2, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "404 ") {
			t.Errorf("after: %s", got)
		}
	})
}

// A DELETE ends the session and its waiting calls, and nothing else.
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

// A DELETE that is refused ends nothing, and its headers are quoted in short.
func TestDeleteRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serveTest(t)
		p := s.client(legacyEra)
		said := p.begin(t.Context(), 1)
		for revision, want := range map[string]string{
			"1999-01-01": `Mcp-Protocol-Version is "1999-01-01"; accepted: 2026-07-28, 2025-11-25, `,
			"1999" + strings.Repeat("caf\u00e9", 200): `Mcp-Protocol-Version is "1999caf\u00e9caf`,
		} {
			r := httptest.NewRequest(http.MethodDelete, "http://localhost/mcp", nil)
			r.Header.Set(mcp.HeaderSessionID, p.session)
			r.Header.Set(mcp.HeaderProtocolVersion, revision)
			if w := answerTo(s, r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || w.Body.Len() > 200 {
				t.Errorf("%.20q: %d %.300q, want %q", revision, w.Code, w.Body, want)
			}
		}
		synctest.Wait()
		s.waits(said)
		s.stop()
		synctest.Wait()
	})
}
