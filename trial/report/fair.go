package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// difference is a setting in which reports differ.
type difference struct {
	what   string
	values []string // one for each report
}

// differences returns the settings that make a comparison of reports unfair: those that
// change the answers, and those that change only the times.
func differences(reports []*score.Report) (answers, times []difference) {
	find := func(what string, value func(*score.Report) string) []difference {
		d := difference{what: what}
		for _, r := range reports {
			d.values = append(d.values, value(r))
		}
		if slices.ContainsFunc(d.values, func(v string) bool { return v != d.values[0] }) {
			return []difference{d}
		}
		return nil
	}
	answers = slices.Concat(
		find("assist", func(r *score.Report) string { return r.Assist }),
		find("handlers", handlersOf),
		find("seed", func(r *score.Report) string { return fmt.Sprint(r.Settings.Seed) }),
		find("count", func(r *score.Report) string { return fmt.Sprint(r.Settings.Count) }),
		find("interval", func(r *score.Report) string { return tickLabel(r.Settings.Interval, false) }),
		find("deadline", func(r *score.Report) string { return tickLabel(r.Settings.Deadline, false) }),
		find("network", func(r *score.Report) string { return r.Network }),
		find("scenarios", func(r *score.Report) string { return strings.Join(ran(r), " ") }),
		find("tun-mcp", func(r *score.Report) string { return r.Program }),
		find("ended early", func(r *score.Report) string {
			if r.Cut == "" {
				return "no"
			}
			return "yes, " + r.Cut
		}),
	)
	times = find("machine", func(r *score.Report) string { return r.System })
	return answers, times
}

// handlersOf returns whether programs could answer in the agent's place. Of a running session
// only an installed handler shows.
func handlersOf(r *score.Report) string {
	switch {
	case r.Agent.Kind == "handler":
		return "a handler without an agent"
	case r.Handlers || r.Handler != nil:
		return "on"
	}
	return "off"
}

// ran returns the scenarios that sent something.
func ran(r *score.Report) []string {
	var names []string
	for _, s := range r.Scenarios {
		if s.Tally.Sent > 0 {
			names = append(names, s.Scenario)
		}
	}
	return names
}
