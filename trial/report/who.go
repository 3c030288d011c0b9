package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// nameOf returns the agent's name in tables, with its model if known.
func nameOf(a score.Agent) string {
	name := cmp.Or(a.Name, a.Kind, "unnamed agent")
	if a.Model != "" && !strings.Contains(name, a.Model) {
		name += " (" + a.Model + ")"
	}
	return name
}

// whoOf returns the agent's name, or its session if it was already running.
func whoOf(r *score.Report) string {
	if r.Session != "" {
		return "the agent of session " + r.Session
	}
	return nameOf(r.Agent)
}

// assistOf returns the assist level, which belongs to every result: the level of all packets
// that the agent wrote, or the highest allowed one if they had several.
func assistOf(r *score.Report) string {
	if levels := slices.Collect(maps.Keys(r.Total.Assists)); len(levels) == 1 && levels[0] != r.Assist {
		return fmt.Sprintf("assist %s (%s allowed)", levels[0], r.Assist)
	}
	return "assist " + cmp.Or(r.Assist, "unknown")
}

// assistUsedOf returns the levels with which the agent wrote packets, or "" if there is only
// one.
func assistUsedOf(r *score.Report) string {
	used := r.Total.Assists
	if len(used) < 2 {
		return ""
	}
	var levels []string
	for _, level := range slices.Sorted(maps.Keys(used)) {
		levels = append(levels, fmt.Sprintf("%s for %s packets", level, ladder.Count(used[level])))
	}
	return "the agent used assist " + strings.Join(levels, ", ")
}

// usageOf returns the usage that the agent reported as text, or "" if it reported none.
func usageOf(u *score.Usage) string {
	if u == nil {
		return ""
	}
	var parts []string
	if u.Turns > 0 {
		parts = append(parts, ladder.Count(u.Turns)+" turns")
	}
	if u.InputTokens > 0 || u.OutputTokens > 0 {
		parts = append(parts, ladder.Count(u.InputTokens)+" tokens in, "+ladder.Count(u.OutputTokens)+" out")
	}
	if cost := costOf(u); cost != unknown {
		parts = append(parts, cost)
	}
	return strings.Join(parts, ", ")
}

// handlerOf returns what packet handlers did and what was left to the agent as text, or ""
// if there was no handler.
func handlerOf(r *score.Report) string {
	h := r.Handler
	if h == nil {
		return ""
	}
	versions := "1 version"
	if h.Versions != 1 {
		versions = ladder.Count(h.Versions) + " versions"
	}
	first := "installed from the start"
	if h.First > 0 {
		first = "the first after " + ladder.Time(h.First)
	}
	return fmt.Sprintf("the handler answered %s packets with %s, dropped %s and failed on %s; the agent wrote %s; %s, %s, %s characters of source",
		ladder.Count(h.Answered), ladder.Count(h.Writes), ladder.Count(h.Dropped), ladder.Count(h.Failed),
		ladder.Count(max(r.Total.Writes-r.Total.ByHandler, 0)), versions, first, ladder.Count(h.Chars))
}

// costOf returns the cost that the agent reported, or unknown.
func costOf(u *score.Usage) string {
	if u == nil || u.CostUSD <= 0 {
		return unknown
	}
	return fmt.Sprintf("$%.4g", u.CostUSD)
}
