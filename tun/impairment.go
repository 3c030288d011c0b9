package tun

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxDelay is the largest Delay and Jitter of an Impairment.
const MaxDelay = time.Minute

// An Impairment describes how bad a link is in each direction. The zero
// Impairment is a perfect link.
type Impairment struct {
	// Seed decides which packets are affected. The same seed and the same sequence
	// of packets give the same decisions. Zero is an ordinary seed.
	Seed uint64

	// Drop, Duplicate and Reorder are fractions of the packets, 0 to 1: those that
	// are lost, delivered twice, or overtaken by the next packet in the same
	// direction. A packet that is not overtaken within 200 ms is delivered.
	Drop, Duplicate, Reorder float64

	// Delay is the time that each packet takes, and Jitter is the largest random
	// deviation from it, each up to a minute. Neither changes the order of packets.
	Delay, Jitter time.Duration
}

// IsZero reports whether i leaves every packet unchanged.
func (i Impairment) IsZero() bool {
	i.Seed = 0
	return i == Impairment{}
}

// String formats i for ParseImpairment.
func (i Impairment) String() string {
	var parts []string
	for _, share := range []struct {
		key   string
		value float64
	}{{"drop", i.Drop}, {"duplicate", i.Duplicate}, {"reorder", i.Reorder}} {
		if share.value != 0 {
			parts = append(parts, share.key+"="+strconv.FormatFloat(100*share.value, 'g', 6, 64)+"%")
		}
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"delay", i.Delay}, {"jitter", i.Jitter}} {
		if d.value != 0 {
			parts = append(parts, d.key+"="+d.value.String())
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("seed=%d", i.Seed)), ",")
}

// ParseImpairment parses a text like
// "drop=5%,duplicate=1%,reorder=2%,delay=20ms,jitter=5ms,seed=7". Each part may be left
// out, and the order does not matter.
func ParseImpairment(text string) (Impairment, error) {
	var i Impairment
	var seen []string
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return Impairment{}, fmt.Errorf("impairment %q: not KEY=VALUE; use for instance drop=5%%,delay=20ms", part)
		}
		if slices.Contains(seen, key) {
			return Impairment{}, fmt.Errorf("impairment %q: %s is given twice; give it once", text, key)
		}
		seen = append(seen, key)
		var err error
		switch key {
		case "drop":
			i.Drop, err = parseShare(value)
		case "duplicate":
			i.Duplicate, err = parseShare(value)
		case "reorder":
			i.Reorder, err = parseShare(value)
		case "delay":
			i.Delay, err = parseDelay(value)
		case "jitter":
			i.Jitter, err = parseDelay(value)
		case "seed":
			if i.Seed, err = strconv.ParseUint(value, 10, 64); err != nil {
				err = fmt.Errorf("%q is not a seed; use a number from 0, for instance 7", value)
			}
		default:
			return Impairment{}, fmt.Errorf("impairment %q: unknown; use drop, duplicate, reorder, delay, jitter or seed", key)
		}
		if err != nil {
			return Impairment{}, fmt.Errorf("impairment %s: %w", key, err)
		}
	}
	return i, nil
}

// parseShare parses "5%" or "0.05". It refuses a bare 5, which could mean either.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 1) { // also refuses NaN
		return 0, fmt.Errorf("%q is not a share of the packets; use 0%% to 100%%, for instance 5%% or 0.05", text)
	}
	return share, nil
}

func parseDelay(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > MaxDelay {
		return 0, fmt.Errorf("%q is not a delay; use 0s to %v, for instance 20ms", text, MaxDelay)
	}
	return d, nil
}
