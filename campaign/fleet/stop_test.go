package fleet

import (
	"fmt"
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// If the trials that were running at a stop or a limit were the last, the campaign is
// done, and its workers learn that.
func TestStopAtTheEnd(t *testing.T) {
	for _, limit := range []float64{0, 1} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			s := newStage(t, 2, plan.Limits{Cost: limit})
			s.begin()
			s.until(func() bool {
				s.Campaign.Tell(queue.Alive{Worker: "w", Running: []string{s.Plan.Cells()[1].ID}})
				return s.logged("w has joined")
			}, "the worker has joined")
			s.play(1, func(r *record.Record) { r.Usage = &score.Usage{CostUSD: 1} })
			s.until(func() bool { return s.states()[record.Done] == 1 }, "the first cell is done")
			if limit == 0 {
				s.stop()
			}
			s.until(func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.shown.Phase == queue.Paused }, "the phase is paused")
			s.play(2, nil)
			s.Campaign.Tell(queue.Alive{Worker: "w"})
			s.ends(nil)
			if s.shown.Phase != queue.Finished || s.shown.Why != "" || s.shown.Done != 2 {
				t.Errorf("shown is %+v", s.shown)
			}
			if err := s.connect().WatchState(t.Context(), func(state queue.State) {
				if state.Phase != queue.Finished {
					t.Errorf("the workers are told that the campaign is %s", state.Phase)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
