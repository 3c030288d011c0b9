package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// unknown stands where nothing was measured.
const unknown = "–"

// faultMeanings says what each kind of fault is, for those who read a report.
var faultMeanings = map[string]string{
	score.FaultIPChecksum:        "the IPv4 header's checksum is wrong",
	score.FaultTransportChecksum: "the checksum of ICMP, UDP or TCP is wrong",
	score.FaultLength:            "a length field does not fit the packet",
	score.FaultAddresses:         "source or destination is wrong",
	score.FaultIDSeq:             "identifier or sequence number is wrong",
	score.FaultPayload:           "the data is not what was expected",
	score.FaultType:              "an answer of the wrong kind: ICMP type or code, protocol, or a refusal",
	score.FaultDuplicate:         "answered more than once",
	score.FaultLate:              "answered after the deadline",
	score.FaultLost:              "never answered, or the program never had it",
	score.FaultNoise:             "answered what must be left alone",
}

// printableLine makes one line of s that is safe on a terminal: what is not
// printable (escape sequences, line ends, marks that turn the direction of
// writing) becomes a question mark, and it is cut after limit characters.
func printableLine(s string, limit int) string {
	var line strings.Builder
	n := 0
	for _, c := range s {
		if n++; n > limit {
			return string([]rune(line.String())[:max(limit-1, 0)]) + "…"
		}
		if c == '\t' {
			c = ' '
		}
		if !unicode.IsPrint(c) || unicode.Is(unicode.M, c) || c == unicode.ReplacementChar {
			c = '?'
		}
		line.WriteRune(c)
	}
	return line.String()
}

// formatTime writes milliseconds with two or three digits that matter and the
// unit that suits: 0.21 ms, 3.42 ms, 42.6 s, 12.5 min.
func formatTime(ms float64) string {
	switch {
	case ms < 0:
		return "-" + formatTime(-ms)
	case ms == 0:
		return "0 ms"
	case ms < 0.001:
		return "<0.001 ms"
	case ms < 0.00995:
		return fmt.Sprintf("%.4f ms", ms)
	case ms < 0.0995:
		return fmt.Sprintf("%.3f ms", ms)
	case ms < 999.5:
		return threeDigits(ms) + " ms"
	case ms < 600e3:
		return threeDigits(ms/1e3) + " s"
	case ms < 36e6:
		return threeDigits(ms/60e3) + " min"
	case ms < 1e15:
		return threeDigits(ms/3600e3) + " h"
	}
	return fmt.Sprintf("%.3g h", ms/3600e3)
}

func threeDigits(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// timeOf is formatTime of a value of d, or unknown if d has none.
func timeOf(d score.Distribution, ms float64) string {
	if d.N == 0 {
		return unknown
	}
	return formatTime(ms)
}

// formatShare writes a share as a percentage, and never rounds to 0 or 100 %.
func formatShare(v float64) string {
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

// formatInterval writes an interval in percent: 83.9–100 %.
func formatInterval(r score.Rate) string {
	return strings.TrimSuffix(formatShare(r.Low), " %") + "–" + formatShare(r.High)
}

// rateOf and intervalOf are a tally's rate in words, or unknown.
func rateOf(t score.Tally) string {
	if t.Sent == 0 {
		return unknown
	}
	return formatShare(t.Rate.Value)
}

func intervalOf(t score.Tally) string {
	if t.Sent == 0 {
		return unknown
	}
	return formatInterval(t.Rate)
}

// formatCount writes a number with its thousands apart: 12,345.
func formatCount(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// formatMean writes a number of things a packet: 0.21, 3.4, 1,234.
func formatMean(v float64, ok bool) string {
	switch {
	case !ok:
		return unknown
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return formatCount(int(min(v, 1e15) + 0.5))
}

// fault is a kind of fault and how often it was met.
type fault struct {
	Kind string
	N    int
}

// sortedFaults lists faults, the most frequent first.
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

// verdictOf says in words whether a scenario passed.
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
