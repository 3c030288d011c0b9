package queue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadToken(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		token, err string
	}{
		{"good", "0123456789abcdef\n", 0o600, "0123456789abcdef", ""},
		{"for-reading", " 0123456789abcdef", 0o400, "0123456789abcdef", ""},
		{"short", "0123456789abcde\n", 0o600, "", "at least 16 characters"},
		{"empty", "", 0o600, "", "at least 16 characters"},
		{"two-words", "0123456789 abcdef\n", 0o600, "", "one word"},
		{"two-lines", "0123456789abcdef\n0123456789abcdef\n", 0o600, "", "one word"},
		{"of-the-group", "0123456789abcdef\n", 0o640, "", "chmod 600"},
		{"of-all", "0123456789abcdef\n", 0o604, "", "chmod 600"},
	} {
		path := filepath.Join(folder, c.name)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		token, err := ReadToken(path)
		if c.err == "" && (err != nil || token != c.token) {
			t.Errorf("%s: %q, %v, want %q", c.name, token, err, c.token)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path)) && (c.mode&0o077 == 0 || os.PathSeparator == '/') {
			t.Errorf("%s: %v, want %q and the file's name", c.name, err, c.err)
		}
	}
	if _, err := ReadToken(filepath.Join(folder, "absent")); err == nil || !strings.Contains(err.Error(), "--token-file: ") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestEmbedRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		embedded Embedded
		want     string
	}{
		{Embedded{Listen: "127.0.0.1"}, "accepted is HOST:PORT"},
		{Embedded{Listen: "127.0.0.1:nonsense"}, "--listen 127.0.0.1:nonsense"},
		{Embedded{Listen: "127.0.0.1:0", Cert: "absent.pem", Key: "absent.pem"}, "--tls-cert, --tls-key"},
	} {
		c.embedded.Folder = t.TempDir()
		if server, err := Embed(c.embedded); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.embedded, err, c.want)
			if err == nil {
				server.Close()
			}
		}
	}
}

// A client without the token is refused at once.
func TestToken(t *testing.T) {
	t.Parallel()
	server, err := Embed(Embedded{Folder: t.TempDir(), Listen: "127.0.0.1:0", Token: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	for _, token := range []string{"", "0123456789abcdeg"} {
		if _, err := Dial(Elsewhere{URL: server.URL(), Token: token}); err == nil || !Refused(err) || !strings.Contains(err.Error(), "the token was refused") {
			t.Errorf("with the token %q: %v", token, err)
		}
	}
	nc, err := Dial(Elsewhere{URL: server.URL(), Token: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if !server.Works() {
		t.Error("Works returns false while the server runs")
	}
	server.Close()
	if _, err := Dial(Elsewhere{URL: server.URL(), Token: "0123456789abcdef"}); err == nil || Refused(err) {
		t.Errorf("on a stopped server: %v, want an error that waiting may cure", err)
	}
}
