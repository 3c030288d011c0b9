package subject

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/trialtest"
	"github.com/tun-mcp/tun-mcp/tun"
)

// A served client may take long to read for the first time, but not to read again.
func TestServedPatienceEndsWithTheFirstRead(t *testing.T) {
	serve := trialtest.Serve(t, tun.Config{}, func(*session.Session, session.Delivered) {})
	s, err := Start(trialtest.Soon(t), Config{Agent: score.Agent{Kind: Served}, Serve: serve, Deadline: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.End(t.Context())
	if s.Patience != 11*time.Second {
		t.Errorf("after its first read it may pause for %v, want 11s", s.Patience)
	}
}

// If this process cannot serve, that is not the agent's doing.
func TestServedCannotStart(t *testing.T) {
	serve := func(context.Context, []string, func(session.Call)) error { return errors.New("no place for a socket") }
	_, err := Start(trialtest.Soon(t), Config{Agent: score.Agent{Kind: Served}, Serve: serve, Deadline: time.Second})
	if err == nil || err.Error() != "the server did not start: no place for a socket" {
		t.Error(err)
	}
}
