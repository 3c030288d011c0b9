package page

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// secret is a Token for tests.
type secret string

func (s secret) Is(shown string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(shown)) == 1
}

func newServer(t *testing.T, config Config) *Server {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	s, err := Listen(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.hubs.ctx = t.Context()
	return s
}

const right = "THE-RIGHT-TOKEN-OF-THIS-PAGE"

// Without the token every request is refused. With the token, a browser has access
// only from this page.
func TestGuard(t *testing.T) {
	s := newServer(t, Config{Address: "127.0.0.1:0", Token: secret(right), Shown: right})
	handler := s.handler()
	cookie := s.cookie.Name + "=" + s.cookie.Value
	const here = "127.0.0.1:8078"
	for _, test := range []struct {
		name, method, target, host, cookie, origin string
		want                                       int
	}{
		{"no token", "GET", "/", here, "", "", 401},
		{"no token, the script", "GET", "/page.js", here, "", "", 401},
		{"no token, packets", "GET", "/live?session=x", here, "", "", 401},
		{"no token, a ping", "POST", "/ping", here, "", "", 401},
		{"a wrong token", "GET", "/?token=wrong", here, "", "", 403},
		{"an empty token", "GET", "/?token=", here, "", "", 403},
		{"two tokens", "GET", "/?token=" + right + "&token=wrong", here, "", "", 403},
		{"a wrong token with the cookie", "GET", "/?token=wrong", here, cookie, "", 403},
		{"the token on another path", "GET", "/sessions?token=" + right, here, "", "", 401},
		{"the token by POST", "POST", "/?token=" + right, here, "", "", 401},
		{"the token", "GET", "/?token=" + right, here, "", "", 200},
		{"the token as the cookie", "GET", "/", here, s.cookie.Name + "=" + right, "", 401},
		{"another cookie", "GET", "/", here, "session=" + s.cookie.Value, "", 401},
		{"the cookie", "GET", "/", here, cookie, "", 200},
		{"the cookie, from this page", "GET", "/sessions", here, cookie, "http://" + here, 200},
		{"the cookie, localhost", "GET", "/", "localhost:1", cookie, "", 200},
		{"the cookie, IPv6", "GET", "/", "[::1]:1", cookie, "", 200},
		{"a foreign name that resolves to this machine", "GET", "/", "evil.example:8078", cookie, "", 403},
		{"a foreign name, with the token", "GET", "/?token=" + right, "evil.example", "", "", 403},
		{"a foreign page", "POST", "/ping", here, cookie, "http://evil.example", 403},
		{"a page on another port", "POST", "/ping", here, cookie, "http://127.0.0.1:9", 403},
		{"a page that hides its origin", "POST", "/ping", here, cookie, "null", 403},
		{"a page cannot end a session", "POST", "/end", here, cookie, "", 404},
		{"a page cannot inject", "POST", "/inject", here, cookie, "", 404},
		{"a page cannot dial", "POST", "/dial", here, cookie, "", 404},
		{"nor delete", "DELETE", "/packet", here, cookie, "", 405},
		{"files of the machine", "GET", "/../../etc/passwd", here, cookie, "", 307},
		{"no such session", "GET", "/packet?session=none&number=1", here, cookie, "", 404},
		{"a session out of the folder", "GET", "/packet?session=../x&number=1", here, cookie, "", 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, "http://"+test.host+test.target, strings.NewReader(`{"session":"none"}`))
			if test.cookie != "" {
				r.Header.Set("Cookie", test.cookie)
			}
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("status %d, want %d: %s", w.Code, test.want, w.Body)
			}
			if strings.Contains(w.Body.String(), right) || strings.Contains(w.Header().Get("Refresh"), right) {
				t.Error("the answer contains the token")
			}
			for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
				if !strings.Contains(w.Header().Get(name), want) {
					t.Errorf("%s: %q", name, w.Header().Get(name))
				}
			}
			set := w.Header().Get("Set-Cookie")
			if entered := strings.HasPrefix(test.target, "/?token="+right) && test.want == 200; entered != (set != "") {
				t.Errorf("cookie %q", set)
			} else if entered && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") || strings.Contains(set, right)) {
				t.Errorf("cookie %q", set)
			}
		})
	}

	// Without the content type that only a page of this origin can send.
	r := httptest.NewRequest("POST", "http://"+here+"/ping", strings.NewReader(`{"session":"none"}`))
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a form's ping: status %d", w.Code)
	}
}

func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0"} {
		if s, err := Listen(context.Background(), Config{Address: address, Token: secret(right), Shown: right}); err == nil || !strings.Contains(err.Error(), "other machines can reach this address") {
			t.Errorf("%s with a token in the address: %v, %v", address, s, err)
		}
	}
	for _, address := range []string{"", "8078", "127.0.0.1", "tun.example:8078", "/run/x.sock", "127.0.0.1:99999"} {
		if s, err := Listen(context.Background(), Config{Address: address, Token: secret(right), Shown: right}); err == nil || !strings.Contains(err.Error(), "for instance 127.0.0.1:8078") {
			t.Errorf("%q: %v, %v", address, s, err)
		}
	}
	first := newServer(t, Config{Address: "localhost:0", Token: secret(right), Shown: right, Session: "x"})
	if url := first.URL(); !strings.HasPrefix(url, "http://127.0.0.1:") || !strings.HasSuffix(url, "/?token="+right+"&session=x") || !first.Loopback() {
		t.Errorf("%s", url)
	}
	if _, err := Listen(context.Background(), Config{Address: first.listener.Addr().String(), Token: secret(right), Shown: right}); err == nil || !strings.Contains(err.Error(), "a free port") {
		t.Errorf("a port in use: %v", err)
	}
	open := newServer(t, Config{Address: "0.0.0.0:0", Token: secret(right)})
	if open.Loopback() || strings.Contains(open.URL(), right) {
		t.Errorf("%s contains the user's own token", open.URL())
	}
}
