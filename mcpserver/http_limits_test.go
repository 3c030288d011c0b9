package mcpserver

import (
	"fmt"
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
		for i := range maxRequests {
			go p.read(t.Context(), i, `{"timeout_ms": 1000}`)
		}
		synctest.Wait()
		if got := p.read(t.Context(), 1000, `{}`); !strings.HasPrefix(got, "503 256 requests are in progress") {
			t.Errorf("one request too many: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := p.read(t.Context(), 1001, `{"timeout_ms": 0}`); !strings.HasPrefix(got, "no packet") {
			t.Errorf("afterwards: %s", got)
		}
		if len(s.calls.underWay) > 0 || s.calls.count != 0 {
			t.Errorf("%d requests are left, the count is %d", len(s.calls.underWay), s.calls.count)
		}
	})
}

// A header of many small fields takes far more memory than its length.
func TestHeadersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t)
		go func() {
			io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
			for i := range 10_000 {
				if _, err := fmt.Fprintf(conn, "%x:\r\n", i); err != nil {
					return
				}
			}
			io.WriteString(conn, "\r\n")
		}()
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
			t.Errorf("got %.200q, %v", answer, err)
		}
	})
}

// A refusal quotes a long header in short.
func TestRefusalsQuoteInShort(t *testing.T) {
	long := strings.Repeat("x", 10_000) + "\u202e"
	s := serveTest(t)
	for name, change := range map[string]func(r *http.Request){
		"host":   func(r *http.Request) { r.Host = long },
		"origin": func(r *http.Request) { r.Header.Set("Origin", long) },
		"method": func(r *http.Request) { r.Method = long },
	} {
		r := request("", initialize)
		change(r)
		if w := answerTo(s, r); w.Code/100 != 4 || w.Body.Len() > 200 || !strings.Contains(w.Body.String(), strings.Repeat("x", 40)+`..."`) {
			t.Errorf("%s: %d %.300q", name, w.Code, w.Body)
		}
	}
}

// Every refused request gets a reason.
func TestRefusals(t *testing.T) {
	s := serveTest(t)
	for _, test := range []struct {
		name, method, session, body string
		length                      int64 // 0 means the length of the body, -1 unknown
		status                      int
		want                        string
	}{
		{"GET", http.MethodGet, "", "", 0, http.StatusMethodNotAllowed, "accepted: POST and DELETE"},
		{"PUT", http.MethodPut, "", "{}", 0, http.StatusMethodNotAllowed, "accepted: POST and DELETE"},
		{"no session", http.MethodPost, "", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 0, http.StatusBadRequest, "send initialize first"},
		{"unknown session", http.MethodPost, "X", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 0, http.StatusNotFound, "send initialize"},
		{"DELETE without a session", http.MethodDelete, "", "", 0, http.StatusBadRequest, "send initialize first"},
		{"no body", http.MethodPost, "", "", 0, http.StatusBadRequest, "not a JSON-RPC message: unexpected end of JSON input"},
		{"10 MB", http.MethodPost, "", strings.Repeat(" ", 10e6), 0, http.StatusRequestEntityTooLarge, "a body of 10000000 bytes is too long; accepted: up to 9437184 bytes; write fewer packets in a call"},
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

// The memory for bodies is limited: incoming ones count by their bytes, those that
// were read by their cost.
func TestBodiesAreBounded(t *testing.T) {
	b := &bodies{newMemory()}
	read := func(size int) (*share, int) {
		r := httptest.NewRequest(http.MethodPost, "/mcp", io.LimitReader(spaces{}, int64(size)))
		r.ContentLength = int64(size)
		w := httptest.NewRecorder()
		body, held, ok := b.read(w, r)
		if ok && len(body) != size {
			t.Errorf("read %d of %d bytes", len(body), size)
		}
		return held, w.Code
	}
	var all []*share
	for range allMemory / longestBody {
		held, status := read(longestBody)
		if status != http.StatusOK {
			t.Fatalf("a body that fits got %d", status)
		}
		all = append(all, held)
	}
	if _, status := read(longestBody); status != http.StatusServiceUnavailable {
		t.Errorf("one body too many got %d", status)
	}
	if all[0].resize(2 * longestBody) {
		t.Error("a share could grow beyond the memory")
	}
	for _, held := range all {
		held.release()
		held.release() // the second release does nothing
	}
	if b.memory.free != allMemory {
		t.Errorf("%d bytes are free at the end, want %d", b.memory.free, allMemory)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
