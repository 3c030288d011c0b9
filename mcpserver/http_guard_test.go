package mcpserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

const secret = "0123456789abcdef-secret"

func testToken(t *testing.T) Token {
	t.Helper()
	token, err := NewToken(secret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestGuard(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)

	const pass = http.StatusTeapot
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(pass) })
	local := &guard{loopback: true, next: next}
	locked := &guard{loopback: true, token: testToken(t), next: next}
	open := &guard{token: testToken(t), next: next}
	for _, test := range []struct {
		name          string
		guard         *guard
		host, origin  string // empty means no such header
		authorization string
		path          string
		want          int
	}{
		{"127.0.0.1", local, "127.0.0.1:8077", "", "", "/mcp", pass},
		{"localhost", local, "localhost:8077", "", "", "/mcp", pass},
		{"LOCALHOST. without port", local, "LOCALHOST.", "", "", "/mcp", pass},
		{"[::1]", local, "[::1]:8077", "", "", "/mcp", pass},
		{"[::1] without port", local, "[::1]", "", "", "/mcp", pass},
		{"127.9.9.9", local, "127.9.9.9", "", "", "/mcp", pass},
		{"foreign host", local, "evil.example", "", "", "/mcp", http.StatusForbidden},
		{"foreign host with port", local, "evil.example:8077", "", "", "/mcp", http.StatusForbidden},
		{"localhost in a foreign host", local, "localhost.evil.example", "", "", "/mcp", http.StatusForbidden},
		{"address in a foreign host", local, "127.0.0.1.evil.example", "", "", "/mcp", http.StatusForbidden},
		{"all addresses", local, "0.0.0.0:8077", "", "", "/mcp", http.StatusForbidden},
		{"no host", local, "", "", "", "/mcp", http.StatusForbidden},
		{"own origin", local, "localhost", "http://localhost:8077", "", "/mcp", pass},
		{"own origin, address", local, "localhost", "http://[::1]:6274", "", "/mcp", pass},
		{"foreign origin", local, "localhost", "http://evil.example", "", "/mcp", http.StatusForbidden},
		{"origin like the host", local, "localhost", "http://localhost.evil.example", "", "/mcp", http.StatusForbidden},
		{"origin with a user", local, "localhost", "http://localhost@evil.example", "", "/mcp", http.StatusForbidden},
		{"null", local, "localhost", "null", "", "/mcp", http.StatusForbidden},
		{"file", local, "localhost", "file://localhost", "", "/mcp", http.StatusForbidden},
		{"extension", local, "localhost", "chrome-extension://localhost", "", "/mcp", http.StatusForbidden},
		{"not a URL", local, "localhost", "http://local host", "", "/mcp", http.StatusForbidden},
		{"other path", local, "localhost", "", "", "/", http.StatusNotFound},
		{"below the path", local, "localhost", "", "", "/mcp/x", http.StatusNotFound},
		{"no token", locked, "localhost", "", "", "/mcp", http.StatusUnauthorized},
		{"wrong token", locked, "localhost", "", "Bearer " + secret + "x", "/mcp", http.StatusUnauthorized},
		{"empty token", locked, "localhost", "", "Bearer ", "/mcp", http.StatusUnauthorized},
		{"other scheme", locked, "localhost", "", "Basic " + secret, "/mcp", http.StatusUnauthorized},
		{"token", locked, "localhost", "", "Bearer " + secret, "/mcp", pass},
		{"scheme in lower case", locked, "localhost", "", "bearer " + secret, "/mcp", pass},
		{"token and foreign host", locked, "evil.example", "", "Bearer " + secret, "/mcp", http.StatusForbidden},
		{"token and foreign origin", locked, "localhost", "http://evil.example", "Bearer " + secret, "/mcp", http.StatusForbidden},
		{"open", open, "tun.example:8077", "", "Bearer " + secret, "/mcp", pass},
		{"open, no token", open, "tun.example:8077", "", "", "/mcp", http.StatusUnauthorized},
		{"open, own origin", open, "tun.example:8077", "http://TUN.example:8077", "Bearer " + secret, "/mcp", pass},
		{"open, foreign origin", open, "tun.example:8077", "http://evil.example:8077", "Bearer " + secret, "/mcp", http.StatusForbidden},
		{"open, null", open, "tun.example:8077", "null", "Bearer " + secret, "/mcp", http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://x"+test.path, strings.NewReader("{}"))
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			w := httptest.NewRecorder()
			test.guard.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, test.want)
			}
			if w.Code != pass && strings.TrimSpace(w.Body.String()) == "" {
				t.Error("the answer has no reason")
			}
			if w.Code == http.StatusUnauthorized && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
				t.Error("no WWW-Authenticate")
			}
			if strings.Contains(w.Body.String(), secret) {
				t.Error("the answer has the token in it")
			}
		})
	}
	if log.Len() == 0 || strings.Contains(log.String(), secret) {
		t.Errorf("the log should have the refusals and no token:\n%s", log.String())
	}

	t.Run("two origins", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", nil)
		r.Header["Origin"] = []string{"http://localhost", "http://evil.example"}
		w := httptest.NewRecorder()
		if local.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("got %d", w.Code)
		}
	})
}

func TestReadToken(t *testing.T) {
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       string // part of the error; empty means no error
	}{
		{"as written by echo", secret + "\n", 0o600, ""},
		{"read-only", "  " + secret + "\r\n", 0o400, ""},
		{"group can read", secret, 0o640, "has the mode 0640, so others can read the token: chmod 600"},
		{"others can read", secret, 0o604, "chmod 600"},
		{"short", "0123456789abcde", 0o600, "the token has 15 characters; accepted: 16 to 4096"},
		{"empty", "\n", 0o600, "the token has 0 characters"},
		{"long", strings.Repeat("x", 4097), 0o600, "the token has 4097 characters"},
		{"very long", strings.Repeat("x", 5000), 0o600, "the token has more than 4096 characters"},
		{"two lines", secret + "\n" + secret, 0o600, "the token has a character that is not allowed"},
		{"not ASCII", secret + "é", 0o600, "the token has a character that is not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.mode&0o077 != 0 {
				tuntest.Unmet(t, errors.New("Windows has no such modes of files"))
			}
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil { // whatever the umask is
				t.Fatal(err)
			}
			token, err := ReadToken(path)
			switch {
			case test.want == "":
				if err != nil || !token.Set() || !token.Is(secret) || token.Is(secret+"x") || token.Is("") {
					t.Errorf("got %v, %v", token, err)
				}
			case err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret):
				t.Errorf("got %v, want %s", err, test.want)
			case token.Set() || token.Is(""):
				t.Error("returned a token and an error")
			}
		})
	}
	if _, err := ReadToken(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a missing file")
	}
	if (Token{}).Is("") {
		t.Error("the zero Token accepts something")
	}
}

func TestListenHTTP(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		if h, err := ListenHTTP(context.Background(), address, Token{}); err == nil || !strings.Contains(err.Error(), "other machines can reach this address: use 127.0.0.1, or require a token") {
			t.Errorf("%s without a token: %v, %v", address, h, err)
		}
	}
	for _, address := range []string{"", "8077", "127.0.0.1", "tun.example:8077", "/run/x.sock"} {
		if h, err := ListenHTTP(context.Background(), address, testToken(t)); err == nil || !strings.Contains(err.Error(), "for instance 127.0.0.1:8077") {
			t.Errorf("%q: %v, %v", address, h, err)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		h, err := ListenHTTP(context.Background(), address, Token{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.URL(), "http://127.0.0.1:") || strings.Contains(h.URL(), ":0/") || !h.Loopback() {
			t.Errorf("%s: %s", address, h.URL())
		}
		h.Close()
	}
	h, err := ListenHTTP(context.Background(), "0.0.0.0:0", testToken(t))
	if err != nil {
		t.Fatal(err)
	}
	if h.Loopback() {
		t.Error("0.0.0.0 counts as loopback")
	}
	h.Close()
}

// ListenHTTP listens only in the family of the address. With Go's "tcp", 0.0.0.0 would
// also mean every IPv6 address.
func TestListenHTTPFamily(t *testing.T) {
	for _, test := range []struct {
		address          string
		reached, refused []string // hosts
	}{
		{"0.0.0.0:0", []string{"127.0.0.1"}, []string{"::1"}},
		{"[::ffff:0.0.0.0]:0", []string{"127.0.0.1"}, []string{"::1"}},
		{"[::]:0", []string{"::1"}, []string{"127.0.0.1"}},
		{":0", []string{"127.0.0.1", "::1"}, nil},
	} {
		t.Run(test.address, func(t *testing.T) {
			if six, err := net.Listen("tcp6", "[::1]:0"); err != nil {
				tuntest.Unmet(t, err)
			} else {
				six.Close()
			}
			h, err := ListenHTTP(t.Context(), test.address, testToken(t))
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			_, port, err := net.SplitHostPort(h.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			dial := func(host string) error {
				conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
				if err == nil {
					conn.Close()
				}
				return err
			}
			for _, host := range test.reached {
				if err := dial(host); err != nil {
					t.Errorf("cannot reach %s: %v", host, err)
				}
			}
			for _, host := range test.refused {
				if dial(host) == nil {
					t.Errorf("can also reach %s", host)
				}
			}
		})
	}
}

// Only our guard checks the Host, not mcp-go: a proxy on the same machine connects
// over loopback and may keep the name that its own clients used.
func TestProxyThatKeepsHost(t *testing.T) {
	server, _ := onLink(t)
	h, err := ListenHTTP(t.Context(), "0.0.0.0:0", testToken(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, server) }()
	_, port, err := net.SplitHostPort(h.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{secret: http.StatusOK, "": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:"+port+EndpointPath, strings.NewReader(initialize))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "mcp.example"
		r.Header.Set("Content-Type", "application/json")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if answer.Body.Close(); err != nil || answer.StatusCode != want {
			t.Errorf("with the token %q: %s %s, %v", token, answer.Status, text, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
