package fleet

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
)

func TestOverLimit(t *testing.T) {
	for _, c := range []struct {
		limits plan.Limits
		worked time.Duration
		cost   float64
		want   string
	}{
		{plan.Limits{}, 1000 * time.Hour, 1e6, ""},
		{plan.Limits{Minutes: 10, Cost: 5}, 10*time.Minute - 1, 4.99, ""},
		{plan.Limits{Minutes: 10, Cost: 5}, 10 * time.Minute, 0, "10 minutes; raise limits.minutes"},
		{plan.Limits{Minutes: 0.5}, 31 * time.Second, 0, "0.5 minutes"},
		{plan.Limits{Cost: 5}, 0, 5.5, "$5.50 of $5.00 spent; raise limits.cost"},
	} {
		err := overLimit(c.limits, c.worked, c.cost)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v after %v and $%v: %v, want %q", c.limits, c.worked, c.cost, err, c.want)
		}
	}
}

func TestWorked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Fleet{began: time.Now(), before: time.Hour}
		time.Sleep(time.Minute)
		if got := f.worked(); got != time.Hour+time.Minute {
			t.Errorf("worked() = %v, want 1 h of earlier starts and 1 min of this one", got)
		}
	})
}
