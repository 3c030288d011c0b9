package trial

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/report"
)

// Whoever starts a trial in a session whose agent does not read is told at once
// what it waits for.
func TestJoinSaysWhatItWaitsFor(t *testing.T) {
	f := testField(t, 0, nil)
	var said bytes.Buffer
	o := Options{Progress: report.NewProgress(&said, 0)}
	p := &player{session: f.Session, status: f.Status, patience: 20 * time.Millisecond}
	if err := o.join(soon(t), p, []Scenario{ping()}); err == nil || !strings.HasPrefix(err.Error(), "the agent has not read from the link in 20ms: call read_packet there") {
		t.Error(err)
	}
	if want := "waiting for the agent of session test to call read_packet (up to 20ms); Ctrl-C ends this\n"; said.String() != want {
		t.Errorf("%q, want %q", &said, want)
	}
}

// Nobody waits for the agent of a session in which nothing can run.
func TestJoinDoesNotWaitInVain(t *testing.T) {
	f := testField(t, 0, nil) // without IPv6
	p := &player{session: f.Session, status: f.Status, patience: time.Hour}
	if err := new(Options).join(soon(t), p, []Scenario{ping6()}); err != nil {
		t.Error(err)
	}
	p.status.Network = "host"
	if err := new(Options).join(soon(t), p, []Scenario{ping()}); err == nil || !strings.Contains(err.Error(), "on this machine's own network") {
		t.Error(err)
	}
}
