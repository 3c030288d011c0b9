package scenario

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// patience is how many requests in a row an agent may leave unread before the trial ends.
const patience = 3

// If the agent stops reading, the trial ends after three requests, in every scenario
// that waits for each answer in turn.
func TestSilentAgentEndsTheTrial(t *testing.T) {
	for name, run := range map[string]func(context.Context, *traffic.Peer) ([]judge.Request, error){
		"ping": ping().Run, "sizes": runSizes, "noise": runNoise, "udp-echo": udpEcho().Run,
	} {
		t.Run(name, func(t *testing.T) {
			f := testPeer(t, tuntest.Long(400*time.Millisecond, time.Second), nil)
			f.Settings.Count = 1000
			asked := 0
			f.Show = func(string) { asked++ }
			if _, err := run(trialtest.Soon(t), f); !errors.Is(err, traffic.ErrSilent) {
				t.Errorf("%v, want %v", err, traffic.ErrSilent)
			}
			if asked != patience {
				t.Errorf("the trial waited for %d requests, want %d", asked, patience)
			}
		})
	}
}

// An agent that reads but answers nothing in time is not silent: load waits for all of
// its requests together.
func TestLateAgentIsNotSilent(t *testing.T) {
	f := testPeer(t, 20*time.Millisecond, func(*session.Session, session.Delivered) {})
	f.Settings.Count = 2 * patience
	if requests, err := runLoad(trialtest.Soon(t), f); err != nil || len(requests) != f.Settings.Count {
		t.Errorf("%d requests, %v", len(requests), err)
	}
}
