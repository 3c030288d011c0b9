package tuntest

import (
	"os"
	"testing"
	"time"
)

// longRuns is an environment variable that makes tests repeat more. It is 1, or the
// duration of the load tests, such as 30m. .ci/run sets it.
const longRuns = "TUN_MCP_LONG"

// Long returns long if TUN_MCP_LONG is set, and short otherwise. Tests use it for how
// often they repeat something, or how much they send.
func Long[T any](short, long T) T {
	if os.Getenv(longRuns) == "" {
		return short
	}
	return long
}

// Length returns the duration of a load test: short by default, long with
// TUN_MCP_LONG=1, or the duration in TUN_MCP_LONG. Any other value fails the test.
func Length(t testing.TB, short, long time.Duration) time.Duration {
	t.Helper()
	switch text := os.Getenv(longRuns); text {
	case "":
		return short
	case "1":
		return long
	default:
		length, err := time.ParseDuration(text)
		if err != nil || length <= 0 {
			t.Fatalf("%s=%q; accepted: 1 or a duration, for instance 30m", longRuns, text)
		}
		return length
	}
}
