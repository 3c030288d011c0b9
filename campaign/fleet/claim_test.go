package fleet

import (
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// A start whose claim was taken over ends, and does not tell the workers that the
// campaign is paused: they work for the other start now.
func TestTakenOver(t *testing.T) {
	s := newStage(t, 2, plan.Limits{})
	if err := s.Campaign.Claim(t.Context(), t.Context(), "one", 12*time.Second); err != nil {
		t.Fatal(err)
	}
	s.begin()
	s.until(func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.shown.Phase == queue.Running }, "the start shows its status")
	other := s.connect()
	s.until(func() bool { return other.Claim(t.Context(), t.Context(), "two", time.Second) == nil }, "the other has the claim")
	s.ends(record.ErrLocked)
	states := make(chan queue.State, 4)
	if err := other.WatchState(t.Context(), func(state queue.State) { states <- state }); err != nil {
		t.Fatal(err)
	}
	if state := <-states; state.Phase != queue.Running {
		t.Errorf("the workers are told that the campaign is %s", state.Phase)
	}
}
