package control

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// inFolder gives this test a runtime folder of its own.
func inFolder(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tm") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
}

// claimed claims a name for the length of the test.
func claimed(t *testing.T, name string) net.Listener {
	t.Helper()
	listener, err := Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// A server that is stopped, or is out of file descriptors, takes connections and
// answers nothing. Commands do not wait for it for ever.
func TestServerThatDoesNotAnswer(t *testing.T) {
	inFolder(t)
	claimed(t, "mute")
	client, err := Find("mute")
	if err != nil {
		t.Fatal(err)
	}
	transport := client.http.Transport.(*http.Transport)
	if transport.ResponseHeaderTimeout != answerTimeout {
		t.Errorf("an answer is waited for %v, want %v", transport.ResponseHeaderTimeout, answerTimeout)
	}
	transport.ResponseHeaderTimeout = time.Millisecond
	const want = "its server is stopped (SIGSTOP), or is out of file descriptors (ulimit -n): try again, or end it"
	if _, err := client.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "asking session mute for /status: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("the status: %v", err)
	}
	if _, err := client.OpenPing(t.Context(), false); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a ping: %v", err)
	}
}

// A session whose socket was removed, and whose name another has since, leaves
// that one's socket alone when it ends.
func TestSocketOfALaterSession(t *testing.T) {
	inFolder(t)
	first := claimed(t, "name")
	path := SocketPath("name")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := claimed(t, "name")
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if !alive(path) {
		t.Error("the later session's socket is gone")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there (%v)", err)
	}
}
