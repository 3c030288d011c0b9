package trial

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// An agent that has stopped reading ends the trial after three requests, in
// every scenario that waits for one after the other.
func TestSilentAgentEndsTheTrial(t *testing.T) {
	for name, run := range map[string]func(context.Context, *Field) ([]judge.Request, error){
		"ping": ping().Run, "sizes": runSizes, "noise": runNoise, "udp-echo": udpEcho().Run,
	} {
		t.Run(name, func(t *testing.T) {
			f := testField(t, 300*time.Millisecond, nil)
			f.Settings.Count = 1000
			if _, err := run(soon(t), f); !errors.Is(err, errSilent) {
				t.Errorf("%v, want %v", err, errSilent)
			}
			if f.unheard != patienceRequests {
				t.Errorf("it was waited for %d times", f.unheard)
			}
		})
	}
}

// An agent that reads and is late with everything plays: the requests of a load
// are waited for together, and are one wait.
func TestLateAgentIsNotSilent(t *testing.T) {
	f := testField(t, 20*time.Millisecond, func(*session.Session, session.Delivered) {})
	f.Settings.Count = 2 * patienceRequests
	if requests, err := runLoad(soon(t), f); err != nil || len(requests) != f.Settings.Count {
		t.Errorf("%d requests, %v", len(requests), err)
	}
}
