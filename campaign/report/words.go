package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/tun-mcp/tun-mcp/ladder"
	trialreport "github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// unknown is shown for a figure that was not measured.
const unknown = "–"

// rate formats a share of n requests, or returns unknown if n is 0.
func rate(r score.Rate, n int) string {
	if n == 0 {
		return unknown
	}
	return trialreport.Share(r.Value)
}

// duration formats ms milliseconds with three digits and a fitting unit, or returns
// unknown if d is empty.
func duration(d score.Distribution, ms float64) string {
	if d.N == 0 {
		return unknown
	}
	return ladder.Time(ms)
}

// tickText formats a round number of milliseconds, without zeros at its end.
func tickText(ms float64) string {
	number, unit, _ := strings.Cut(ladder.Time(ms), " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number + " " + unit
}

// perRequest formats total per request, or returns unknown if there were none.
func perRequest(total float64, requests int) string {
	if requests == 0 {
		return unknown
	}
	return Number(total / float64(requests))
}

// Number formats a figure with three digits, or all its whole digits if it has more.
func Number(v float64) string {
	if v >= 999.5 {
		return ladder.Count(int(math.Round(v)))
	}
	return fmt.Sprintf("%.3g", v)
}

// dollars formats an amount, with more digits if it is small.
func dollars(v float64) string {
	if v > 0 && v < 0.1 {
		return fmt.Sprintf("$%.4f", v)
	}
	return fmt.Sprintf("$%.2f", v)
}

// headline returns the campaign's progress in a sentence or two.
func (s *Summary) headline() string {
	text := fmt.Sprintf("%d of %d cells have ended: %d done", s.Counts.Ended(), s.Cells, s.Counts.Done)
	if s.Counts.Failed > 0 {
		text += fmt.Sprintf(", %d could not run", s.Counts.Failed)
	}
	if s.Counts.Cancelled > 0 {
		text += fmt.Sprintf(", %d cancelled", s.Counts.Cancelled)
	}
	if s.Counts.Retried > 0 {
		text += fmt.Sprintf("; %d failed attempts were repeated", s.Counts.Retried)
	}
	if s.Counts.Waits > 0 {
		text += fmt.Sprintf("; %d waits for overloaded providers", s.Counts.Waits)
	}
	text += "."
	if missing := s.Cells - s.Counts.Ended(); missing > 0 && s.Why != "" {
		text += fmt.Sprintf(" %d have not run: %s.", missing, s.Why)
	}
	return text
}
