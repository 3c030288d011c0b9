package mcpserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestOpenRequestsAreBounded(t *testing.T) {
	bothEras(t, func(t *testing.T, era string) {
		s := serveTest(t)
		p := s.client(era)
		for i := range mostRequests {
			go p.read(t.Context(), i, `{"timeout_ms": 1000}`)
		}
		synctest.Wait()
		if got := p.read(t.Context(), 1000, `{}`); !strings.HasPrefix(got, "503 256 requests are under way") {
			t.Errorf("one request too many: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := p.read(t.Context(), 1001, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
			t.Errorf("afterwards: %s", got)
		}
		if len(s.calls.underWay) > 0 || s.calls.count != 0 {
			t.Errorf("%d requests are left, %d counted", len(s.calls.underWay), s.calls.count)
		}
	})
}

// Requests that are not for this server's ears get a reason, whatever they hold.
func TestRefusals(t *testing.T) {
	s := serveTest(t)
	for _, test := range []struct {
		name, method, session, body string
		length                      int64 // 0: the body's; -1: not said
		status                      int
		want                        string
	}{
		{"GET", http.MethodGet, "", "", 0, http.StatusMethodNotAllowed, "accepted are POST and DELETE"},
		{"PUT", http.MethodPut, "", "{}", 0, http.StatusMethodNotAllowed, "accepted are POST and DELETE"},
		{"no session", http.MethodPost, "", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 0, http.StatusBadRequest, "send initialize first"},
		{"unknown session", http.MethodPost, "X", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 0, http.StatusNotFound, "send initialize"},
		{"DELETE without a session", http.MethodDelete, "", "", 0, http.StatusBadRequest, "send initialize first"},
		{"no body", http.MethodPost, "", "", 0, http.StatusBadRequest, "this is no JSON-RPC message: unexpected end of JSON input"},
		{"10 MB", http.MethodPost, "", strings.Repeat(" ", 10e6), 0, http.StatusRequestEntityTooLarge, "a body of 10000000 bytes is too long, accepted are 9437184: write fewer packets in a call"},
		{"10 MB, length not said", http.MethodPost, "", strings.Repeat(" ", 10e6), -1, http.StatusRequestEntityTooLarge, "a body is too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://localhost/mcp", strings.NewReader(test.body))
			r.Header.Set("Content-Type", "application/json")
			if test.session != "" {
				r.Header.Set(mcp.HeaderSessionID, test.session)
			}
			if test.length != 0 {
				r.ContentLength = test.length
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, test.status, test.want)
			}
		})
	}
}

// The memory that large bodies take is bounded, and small ones always pass.
func TestBodiesAreBounded(t *testing.T) {
	b := newBodies()
	read := func(size int) (func(), int) {
		r := httptest.NewRequest(http.MethodPost, "/mcp", io.LimitReader(spaces{}, int64(size)))
		r.ContentLength = int64(size)
		w := httptest.NewRecorder()
		body, release, ok := b.read(w, r)
		if ok && len(body) != size {
			t.Errorf("%d of %d bytes were read", len(body), size)
		}
		return release, w.Code
	}
	var releases []func()
	for range allBodies / longestBody {
		release, status := read(longestBody)
		if status != http.StatusOK {
			t.Fatalf("a body that fits: %d", status)
		}
		releases = append(releases, release)
	}
	if _, status := read(longestBody); status != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", status)
	}
	if _, status := read(smallBody); status != http.StatusOK {
		t.Errorf("a small one: %d", status)
	}
	for _, release := range releases {
		release()
		release() // once is enough
	}
	if b.free != allBodies {
		t.Errorf("%d bytes are free again, want %d", b.free, allBodies)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
