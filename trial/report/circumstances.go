package report

import (
	"fmt"
	"time"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// settingsOf returns the flags of a trial as text.
func settingsOf(r *score.Report) string {
	s := r.Settings
	interval := ""
	if s.Interval > 0 {
		interval = ", interval " + tickLabel(s.Interval, false)
	}
	return fmt.Sprintf("count %s%s, deadline %s, seed %d", ladder.Count(s.Count), interval, tickLabel(s.Deadline, false), s.Seed)
}

// circumstancesOf returns when and where a trial ran, how long it took, and the version of
// tun-mcp.
func circumstancesOf(r *score.Report) string {
	return fmt.Sprintf("%s, took %s, %s, tun-mcp %s",
		r.Started.UTC().Format(time.DateTime+" UTC"), ladder.Time(1e3*r.Seconds), r.System, r.Program)
}
