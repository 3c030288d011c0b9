package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func TestHTTPGuards(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef-secret"
	command := exec.Command(program)
	command.Env = []string{"TUN_MCP_TOKEN=" + token}
	s := startHTTP(t, command, "--log-level", "debug")
	tests := []struct {
		name       string
		change     func(*http.Request)
		status     int
		want, head string
	}{
		{"right", func(r *http.Request) {}, http.StatusOK, "no packet in 0 ms", ""},
		{"own origin", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") }, http.StatusOK, "no packet in 0 ms", ""},
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized, "this server needs a token", `Bearer realm="tun-mcp"`},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer wrong") }, http.StatusUnauthorized, "not this server's token", `Bearer realm="tun-mcp", error="invalid_token"`},
		{"evil origin", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, http.StatusForbidden, `the Origin is "http://evil.example"`, ""},
		{"no one's origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden, `the Origin is "null"`, ""},
		{"evil host", func(r *http.Request) { r.Host = "evil.example" }, http.StatusForbidden, `the Host is "evil.example"`, ""},
		{"10 MB", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 10e6))), 10e6
		}, http.StatusRequestEntityTooLarge, "a body of 10000000 bytes is too long", ""},
		{"right again", func(r *http.Request) {}, http.StatusOK, "no packet in 0 ms", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := s.call(1, "read_packet", `{"timeout_ms": 0}`)
			r.Header.Set("Authorization", "Bearer "+token)
			test.change(r)
			status, body, header, err := do(r)
			if err != nil {
				t.Fatal(err)
			}
			if status != test.status || !strings.Contains(body, test.want) || header.Get("WWW-Authenticate") != test.head {
				t.Errorf("got %d %s %v", status, body, header)
			}
		})
	}
	if log := s.errors(); !strings.Contains(log, "evil.example") || strings.Contains(log, token) {
		t.Errorf("the log should contain refusals and no token:\n%s", log)
	}
}

// A server that would not be safe does not start.
func TestHTTPRefusesToStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	none := filepath.Join(t.TempDir(), "none")
	for _, test := range []struct {
		args []string
		env  string
		want string
	}{
		{[]string{"--http", taken.Addr().String()}, "", "use an address of this machine and a free port (0 means any)"},
		{[]string{"--http", "127.0.0.1:99999"}, "", "with a port from 0 to 65535"},
		{[]string{"--http", "127.0.0.1:0", "--http-token-file", none}, "", "make one with: (umask 077; openssl rand -hex 32 > \"" + none + "\")"},
		{[]string{"--http", "0.0.0.0:0"}, "", `--http "0.0.0.0:0": other machines can reach this address: use 127.0.0.1, or require a token with --http-token-file FILE`},
		{[]string{"--http", "0.0.0.0:0", "--http-token-file", file}, "", "chmod 600 " + file},
		{[]string{"--http", "127.0.0.1:0"}, "TUN_MCP_TOKEN=short", "TUN_MCP_TOKEN: the token has 5 characters"},
		{[]string{"--http-token-file", file}, "", "add --http"},
		{[]string{"--http", "somewhere"}, "", `--http "somewhere" is not an address to listen on; accepted: an IP address`},
	} {
		cmd := exec.Command(program, append([]string{"--network", "memory"}, test.args...)...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t), test.env)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) || strings.Contains(string(out), "the link is up") {
			t.Errorf("%v: %v\n%s\nwant: %s", test.args, err, out, test.want)
		}
		status := 2
		if test.args[1] == taken.Addr().String() { // a valid address, but in use
			status = 1
		}
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Errorf("%v: exit status %d, want %d", test.args, got, status)
		}
	}
}
