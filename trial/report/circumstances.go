package report

import (
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// settingsOf says the flags that a trial ran with.
func settingsOf(r *score.Report) string {
	s := r.Settings
	interval := ""
	if s.Interval > 0 {
		interval = ", interval " + tickLabel(s.Interval, false)
	}
	return fmt.Sprintf("count %s%s, deadline %s, seed %d", formatCount(s.Count), interval, tickLabel(s.Deadline, false), s.Seed)
}

// circumstancesOf says when, for how long, where and by what a trial was run.
func circumstancesOf(r *score.Report) string {
	return fmt.Sprintf("%s, took %s, %s, tun-mcp %s",
		r.Started.UTC().Format(time.DateTime+" UTC"), formatTime(1e3*r.Seconds), r.System, r.Program)
}
