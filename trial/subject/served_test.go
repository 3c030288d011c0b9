package subject

import (
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
