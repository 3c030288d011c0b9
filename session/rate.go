package session

import (
	"fmt"
	"math"
	"time"
)

// DefaultMaxPPS is a thousand times the rate of a model, and 70 MB/s of full
// packets. No download of the built-in agent has come near it; docs/load.md has
// the measurements.
const DefaultMaxPPS = 50_000

// A RateError means that a packet was not written because it exceeds
// Config.MaxPPS.
type RateError struct {
	MaxPPS int           // the limit, packets a second
	Wait   time.Duration // until one more may be written
}

func (e *RateError) Error() string {
	return fmt.Sprintf("over the rate limit of %d packets a second: write it again in %d ms, and fewer at a time; the user can raise the limit with --max-pps N (0 means no limit)",
		e.MaxPPS, (e.Wait + time.Millisecond - 1).Milliseconds())
}

// bucket is a token bucket: rate packets a second, with a burst of one second's
// worth. The zero bucket lets everything through. The caller must hold a lock.
type bucket struct {
	rate  int       // packets a second; 0 means no limit
	level float64   // packets that may pass now, up to rate
	at    time.Time // when level was computed; zero means unused and full
}

// take lets one packet through and returns 0, or returns how long it has to
// wait.
func (b *bucket) take(now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	full := float64(b.rate)
	if b.at.IsZero() {
		b.level = full
	} else {
		b.level = min(full, b.level+now.Sub(b.at).Seconds()*full)
	}
	b.at = now
	if b.level < 1 {
		return time.Duration(math.Ceil((1 - b.level) / full * float64(time.Second)))
	}
	b.level--
	return 0
}
