// Package ladder draws the packets on a link as a ladder: the peer on the left, the agent on
// the right, time downwards. The trial's page, the live page and the pictures of recordings
// share its rungs, its template and its style.
package ladder

import "fmt"

// Time formats a time in milliseconds with two or three significant digits and a fitting
// unit: 0.21 ms, 3.42 ms, 42.6 s, 12.5 min.
func Time(ms float64) string {
	switch {
	case ms < 0:
		return "-" + Time(-ms)
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
