package page

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// pingDevice is a device whose peer can ping.
type pingDevice struct {
	*tuntest.Device
	echo testEcho
}

func (d *pingDevice) OpenEcho(bool) (tun.Echo, error) { return d.echo, nil }

// testEcho returns the errors of results, in order, from Send. It receives nothing.
type testEcho struct {
	results chan error
	closed  chan struct{}
}

func (e testEcho) Send([]byte, uint16) error { return <-e.results }

func (e testEcho) Receive() (tun.EchoMessage, error) {
	<-e.closed
	return tun.EchoMessage{}, net.ErrClosed
}

func (e testEcho) Close() error { return nil }

// A page learns at once that a ping was not sent, and that the next one was.
func TestPageLearnsThatAPingWasNotSent(t *testing.T) {
	inFolder(t)
	echo := testEcho{make(chan error, 2), make(chan struct{})}
	defer close(echo.closed)
	startSession(t, "unsent", &pingDevice{tuntest.NewDevice(), echo})
	client, err := control.Find("unsent")
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHub(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := h.since(0, start)
	echo.results <- errors.New("the network is down")
	if err := h.pinger.ping(t.Context(), "10.77.0.2"); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var m message
	for deadline := time.Now().Add(10 * time.Second); m.State.Unsent == ""; <-tick.C {
		if m, version, _ = h.since(version, start); time.Now().After(deadline) {
			t.Fatal("the page does not learn that the ping was not sent")
		}
	}
	if m.State.Unsent != "the network is down" {
		t.Errorf("the page says %q", m.State.Unsent)
	}
	echo.results <- nil
	if err := h.pinger.ping(t.Context(), "10.77.0.2"); err != nil {
		t.Fatal(err)
	}
	if m, _, changed := h.since(version, start); !changed || m.State.Unsent != "" {
		t.Errorf("changed: %v, and the page says %q", changed, m.State.Unsent)
	}
}
