package fleet

import (
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
)

// overLimit returns an error if a limit is reached. worked is the running time of
// all starts, cost is in dollars.
func overLimit(limits plan.Limits, worked time.Duration, cost float64) error {
	switch {
	case limits.Minutes > 0 && worked.Minutes() >= limits.Minutes:
		return fmt.Errorf("%w: %v minutes; raise limits.minutes and start again to continue", ErrLimit, limits.Minutes)
	case limits.Cost > 0 && cost >= limits.Cost:
		return fmt.Errorf("%w: $%.2f of $%.2f spent; raise limits.cost and start again to continue", ErrLimit, cost, limits.Cost)
	}
	return nil
}

// worked returns the campaign's running time, over all its starts.
func (f *Fleet) worked() time.Duration { return f.before + time.Since(f.began) }
