package trial

import (
	"context"
	"errors"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
)

// A scenario fails if its traffic cannot be sent, and the reason says so.
func TestTrafficThatCouldNotBeSent(t *testing.T) {
	agent := runningSubject(t, nil)
	run := func(context.Context, *traffic.Peer) ([]judge.Request, error) {
		return nil, errors.New("datagram: it never reached the link: asking for a socket: context deadline exceeded")
	}
	r, _ := new(Options).runOne(trialtest.Soon(t), cell{scenario.Scenario{Run: run, Judge: judge.Program}, 1}, agent)
	if r.Passed || r.Reason != "the traffic could not be sent: datagram: it never reached the link: asking for a socket: context deadline exceeded" {
		t.Errorf("passed %t, %q", r.Passed, r.Reason)
	}
}
