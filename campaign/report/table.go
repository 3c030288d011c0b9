package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/ladder"
	trialreport "github.com/tun-mcp/tun-mcp/trial/report"
)

// WriteTable writes the summary as text.
func WriteTable(out io.Writer, s *Summary) error {
	var b strings.Builder
	fmt.Fprintf(&b, "campaign %s: %s\n", s.Name, s.headline())
	if len(s.Programs) > 1 {
		fmt.Fprintf(&b, "The trials ran different versions of tun-mcp: %s.\n", strings.Join(s.Programs, ", "))
	}
	b.WriteString("\n")
	head := []string{"agent", "right/sent", "rate", "95 % interval", "trials", "passed", "median", "p95", "calls"}
	if s.HasUsage {
		head = append(head, "tokens", "cost")
	}
	rows := [][]string{head}
	for _, e := range s.Entrants {
		row := []string{e.Label, fmt.Sprintf("%d/%d", e.Tally.Right, e.Tally.Sent), rate(e.Tally.Rate, e.Tally.Sent), trialreport.Interval(e.Tally.Rate),
			fmt.Sprintf("%d/%d", e.Done, e.Cells), fmt.Sprint(e.PassedN), duration(e.Response, e.Response.Median), duration(e.Response, e.Response.P95),
			perRequest(float64(e.Tally.Calls), e.Tally.Sent+e.Tally.Probes)}
		if s.HasUsage {
			row = append(row, perRequest(float64(e.Usage.InputTokens+e.Usage.OutputTokens), e.UsageRequests), e.cost())
		}
		rows = append(rows, row)
	}
	writeRows(&b, rows)
	b.WriteString("(median, p95: response times; calls, tokens: per request)\n\n")

	grid := [][]string{append([]string{"right"}, s.Scenarios...)}
	for _, e := range s.Entrants {
		row := []string{e.Label}
		for _, square := range e.Squares {
			row = append(row, rate(square.Rate, square.Sent))
		}
		grid = append(grid, row)
	}
	writeRows(&b, grid)

	if len(s.Differences) > 0 {
		b.WriteString("\n")
	}
	for _, d := range s.Differences {
		b.WriteString(d.Words() + "\n")
	}
	space := "\n"
	for _, e := range s.Entrants {
		if faults := e.faults(); faults != "" {
			fmt.Fprintf(&b, "%sfaults of %s: %s\n", space, e.Label, faults)
			space = ""
		}
	}
	if len(s.Failures) > 0 {
		b.WriteString("\ncould not run:\n")
		for _, f := range s.Failures {
			fmt.Fprintf(&b, "  %s, %d cells: %s\n", f.Agent, len(f.Cells), ladder.Line(f.Reason, 300))
		}
	}
	_, err := io.WriteString(out, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func (e Entrant) cost() string {
	if e.UsageRequests == 0 {
		return unknown
	}
	return dollars(e.Usage.CostUSD)
}

// faults lists the kinds of fault with their counts, most frequent first.
func (e Entrant) faults() string {
	var words []string
	for _, kind := range e.kinds() {
		words = append(words, fmt.Sprintf("%s %d", kind, e.Tally.Faults[kind]))
	}
	return strings.Join(words, ", ")
}

func (e Entrant) kinds() []string {
	kinds := slices.Sorted(maps.Keys(e.Tally.Faults))
	slices.SortStableFunc(kinds, func(a, b string) int { return e.Tally.Faults[b] - e.Tally.Faults[a] })
	return kinds
}

// writeRows writes a table. The first column is left-aligned, the others are
// right-aligned.
func writeRows(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, row := range rows {
		for i, text := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i == 0 {
				b.WriteString(text + space)
			} else {
				b.WriteString("  " + space + text)
			}
		}
		b.WriteString("\n")
	}
}
