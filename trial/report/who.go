package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// nameOf is what tables call the agent, with its model where it is known.
func nameOf(a score.Agent) string {
	name := cmp.Or(a.Name, a.Kind, "unnamed agent")
	if a.Model != "" && !strings.Contains(name, a.Model) {
		name += " (" + a.Model + ")"
	}
	return name
}

// whoOf is whose report it is: the agent, and the session in which it already
// was.
func whoOf(r *score.Report) string {
	if r.Session != "" {
		return "the agent of session " + r.Session
	}
	return nameOf(r.Agent)
}

// assistOf says the assist level, which belongs beside every result: the one
// that all the agent's packets were written with, else the highest allowed.
func assistOf(r *score.Report) string {
	if levels := slices.Collect(maps.Keys(r.Total.Assists)); len(levels) == 1 && levels[0] != r.Assist {
		return fmt.Sprintf("assist %s (%s allowed)", levels[0], r.Assist)
	}
	return "assist " + cmp.Or(r.Assist, "not known")
}

// assistUsedOf says which levels the agent's packets were written with, if
// there are several.
func assistUsedOf(r *score.Report) string {
	used := r.Total.Assists
	if len(used) < 2 {
		return ""
	}
	var levels []string
	for _, level := range slices.Sorted(maps.Keys(used)) {
		levels = append(levels, fmt.Sprintf("%s for %s packets", level, formatCount(used[level])))
	}
	return "the agent used assist " + strings.Join(levels, ", ")
}

// usageOf says what the agent told of its own costs, "" if it told nothing.
func usageOf(u *score.Usage) string {
	if u == nil {
		return ""
	}
	var parts []string
	if u.Turns > 0 {
		parts = append(parts, formatCount(u.Turns)+" turns")
	}
	if u.InputTokens > 0 || u.OutputTokens > 0 {
		parts = append(parts, formatCount(u.InputTokens)+" tokens in, "+formatCount(u.OutputTokens)+" out")
	}
	if cost := costOf(u); cost != unknown {
		parts = append(parts, cost)
	}
	return strings.Join(parts, ", ")
}

// costOf is what the agent's work cost, or unknown.
func costOf(u *score.Usage) string {
	if u == nil || u.CostUSD <= 0 {
		return unknown
	}
	return fmt.Sprintf("$%.4g", u.CostUSD)
}
