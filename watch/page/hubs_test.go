package page

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// counter is a listener that counts its open connections.
type counter struct {
	net.Listener
	open   atomic.Int32
	closed chan struct{} // has an element after a connection was closed
}

type countedConn struct {
	net.Conn
	of   *counter
	once atomic.Bool
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return &countedConn{Conn: conn, of: c}, nil
}

func (c *countedConn) Close() error {
	if !c.once.Swap(true) {
		c.of.open.Add(-1)
		select {
		case c.of.closed <- struct{}{}:
		default:
		}
	}
	return c.Conn.Close()
}

// inFolder keeps the sessions of a test apart from this machine's.
func inFolder(t *testing.T) { t.Setenv("TUN_MCP_RUNTIME_DIR", tuntest.RuntimeDir(t)) }

// startSession runs a session on a device with its server until the test ends or stop is called.
func startSession(t *testing.T, name string, device tun.Device) (s *session.Session, connections *counter, stop func()) {
	t.Helper()
	listener, err := control.Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	connections = &counter{Listener: listener, closed: make(chan struct{}, 1)}
	s = session.New(device, session.Config{Name: name, MTU: 1500, Queue: 16})
	server := control.Serve(s, connections, func() session.Status { return s.Fill(session.Status{}) })
	stop = func() { server.Close(); s.Close() }
	t.Cleanup(stop)
	return s, connections, stop
}

// endedHub returns a hub that believes that the session has ended.
func endedHub(t *testing.T, name string) *hub {
	t.Helper()
	client, err := control.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := newTestHub()
	h.client, h.start, h.ended, h.stop = client, status.Started, "why", func() {}
	return h
}

// A session has one hub after its link has ended, although its server still runs. It
// gets another if it was only silent, and if it was restarted.
func TestHubsOfAnEndedLink(t *testing.T) {
	inFolder(t)
	s, _, stop := startSession(t, "ended", tuntest.NewDevice())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	of := func(found *hub) *hub {
		t.Helper()
		x := hubs{ctx: ctx, all: []*hub{found}}
		h, err := x.of("ended")
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	found := endedHub(t, "ended")
	if of(found) == found {
		t.Error("the link is open, but the hub that lost it stays")
	}
	if err := s.End("a test"); err != nil {
		t.Fatal(err)
	}
	if of(found) != found {
		t.Error("the link has ended, but its hub is replaced")
	}
	stop()
	if of(found) != found {
		t.Error("the server is gone, but the hub is replaced")
	}
	startSession(t, "ended", tuntest.NewDevice())
	if of(found) == found {
		t.Error("the session was restarted, but the old hub stays")
	}
}

// A hub that is stopped leaves no connection to the session.
func TestHubClosesItsConnections(t *testing.T) {
	inFolder(t)
	_, connections, _ := startSession(t, "closing", tuntest.NewDevice())
	client, err := control.Find("closing")
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHub(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // so that at least one waits for the next request
		if _, err := client.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	patience := time.After(10 * time.Second)
	for connections.open.Load() > 0 {
		select {
		case <-connections.closed:
		case <-patience:
			t.Fatalf("%d connections are open", connections.open.Load())
		}
	}
}

// A page that opens a new stream after the same message gets only what is new, and
// learns at once that it is connected.
func TestNewStreamContinues(t *testing.T) {
	inFolder(t)
	s := newServer(t, Config{Address: "127.0.0.1:0", Token: secret(right), Shown: right})
	h := newTestHub()
	h.epoch, h.client = "E", control.At("/nowhere/streamed.sock")
	exchange(h, 1, start)
	s.hubs.all = []*hub{h}
	server := httptest.NewServer(http.HandlerFunc(s.getLive))
	defer server.Close()
	first := func(query string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/live?session=streamed"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	id := strings.TrimPrefix(first(""), "id: ")
	if got := first("&after=" + id); got != ":" {
		t.Errorf("after %s comes %q", id, got)
	}
	if got := first("&after=OTHER.3"); got != "id: "+id {
		t.Errorf("after another hub's id comes %q", got)
	}
}
