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

// unknown takes the place of a figure that was not measured.
const unknown = "–"

// faultMeanings explains each kind of fault to the readers of a report.
var faultMeanings = map[string]string{
	score.FaultIPChecksum:        "the IPv4 header's checksum is wrong",
	score.FaultTransportChecksum: "the checksum of ICMP, UDP or TCP is wrong",
	score.FaultLength:            "a length field does not match the packet",
	score.FaultAddresses:         "the source or destination is wrong",
	score.FaultIDSeq:             "the identifier or sequence number is wrong",
	score.FaultPayload:           "the data is wrong",
	score.FaultType:              "the kind of answer is wrong: ICMP type or code, protocol, or a refusal",
	score.FaultDuplicate:         "answered more than once",
	score.FaultLate:              "answered after the deadline",
	score.FaultLost:              "never answered, or the answer never reached the program",
	score.FaultNoise:             "answered a packet that must be ignored",
}

// timeOf formats ms, a value of d, or returns unknown if d is empty.
func timeOf(d score.Distribution, ms float64) string {
	if d.N == 0 {
		return unknown
	}
	return ladder.Time(ms)
}

// Share formats a share as a percentage. It never rounds to 0 or 100 %.
func Share(v float64) string {
	switch {
	case v <= 0:
		return "0 %"
	case v >= 1:
		return "100 %"
	case v < 0.0005:
		return "<0.1 %"
	case v >= 0.9995:
		return ">99.9 %"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

// Interval formats an interval in percent, for instance 83.9–100 %.
func Interval(r score.Rate) string {
	return strings.TrimSuffix(Share(r.Low), " %") + "–" + Share(r.High)
}

// rateOf formats a tally's rate, or returns unknown if nothing was sent.
func rateOf(t score.Tally) string {
	if t.Sent == 0 {
		return unknown
	}
	return Share(t.Rate.Value)
}

// intervalOf formats the interval of a tally's rate, or returns unknown if nothing was sent.
func intervalOf(t score.Tally) string {
	if t.Sent == 0 {
		return unknown
	}
	return Interval(t.Rate)
}

// formatMean formats a mean with about three digits: 0.21, 13.4, 1,234. It returns unknown
// if ok is false.
func formatMean(v float64, ok bool) string {
	switch {
	case !ok:
		return unknown
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return ladder.Count(int(min(v, 1e15) + 0.5))
}

// fault is a kind of fault and how often it occurred.
type fault struct {
	Kind string
	N    int
}

// sortedFaults returns faults, the most frequent first.
func sortedFaults(faults map[string]int) []fault {
	var list []fault
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		if faults[kind] != 0 {
			list = append(list, fault{kind, faults[kind]})
		}
	}
	slices.SortStableFunc(list, func(a, b fault) int { return cmp.Compare(b.N, a.N) })
	return list
}

// verdictOf returns the verdict on a scenario as a word.
func verdictOf(r score.Result) string {
	switch {
	case r.Passed:
		return "passed"
	case r.Skipped:
		return "skipped"
	case r.Tally.Sent == 0:
		return "not run"
	}
	return "not passed"
}
