package control

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// inFolder gives the test its own runtime folder.
func inFolder(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", tuntest.RuntimeDir(t))
}

// claimed claims a name until the test ends.
func claimed(t *testing.T, name string) net.Listener {
	t.Helper()
	listener, err := Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// A server that is stopped or out of file descriptors may have connections but never
// answers. Commands do not wait forever for it.
func TestServerThatDoesNotAnswer(t *testing.T) {
	inFolder(t)
	claimed(t, "mute")
	client, err := Find("mute")
	if err != nil {
		t.Fatal(err)
	}
	transport := client.http.Transport.(*http.Transport)
	if transport.ResponseHeaderTimeout != answerTimeout {
		t.Errorf("the timeout for an answer is %v, want %v", transport.ResponseHeaderTimeout, answerTimeout)
	}
	transport.ResponseHeaderTimeout = time.Millisecond
	const want = "its server is stopped (SIGSTOP) or out of file descriptors (ulimit -n); try again, or end it"
	if _, err := client.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "asking session mute for /status: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("the status: %v", err)
	}
	if _, err := client.OpenPing(t.Context(), false); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a ping: %v", err)
	}
}

// If a session's socket was removed and another session has taken its name, ending
// the first does not remove the second one's socket.
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
