package ping

import (
	"math"
	"time"
)

// Statistics are what a run comes to.
type Statistics struct {
	Sent       int           // requests
	Received   int           // of them answered
	Duplicates int           // replies to what was answered before
	Corrupted  int           // replies with a wrong ICMP checksum
	Errors     int           // ICMP errors, and replies to what was never sent
	Took       time.Duration // from the first request to the last
	Pipe       int           // the most requests that were open when a reply came

	Min, Max time.Duration // round trip, of replies and duplicates
	Smooth   time.Duration // moving average of the round trip, 1/8 for the newest

	n            int     // round trips
	mean, square float64 // their average and sum of squared deviations, in ns (Welford)
}

// add takes one round trip into account.
func (s *Statistics) add(rtt time.Duration) {
	if s.n == 0 {
		s.Min, s.Max, s.Smooth = rtt, rtt, rtt
	}
	s.Min, s.Max = min(s.Min, rtt), max(s.Max, rtt)
	s.Smooth += (rtt - s.Smooth) / 8
	s.n++
	off := float64(rtt) - s.mean
	s.mean += off / float64(s.n)
	s.square += off * (float64(rtt) - s.mean)
}

// Average is the mean round trip; zero if there was none.
func (s *Statistics) Average() time.Duration { return time.Duration(s.mean) }

// Deviation is the standard deviation of the round trip; zero if there was none.
func (s *Statistics) Deviation() time.Duration {
	if s.n == 0 {
		return 0
	}
	return time.Duration(math.Sqrt(s.square / float64(s.n)))
}

// Loss is the share of requests without an answer, in percent.
func (s *Statistics) Loss() float64 {
	if s.Sent == 0 {
		return 0
	}
	return float64(s.Sent-s.Received) * 100 / float64(s.Sent)
}

// Gap is the average time from one request to the next.
func (s *Statistics) Gap() time.Duration {
	if s.Sent < 2 {
		return 0
	}
	return s.Took / time.Duration(s.Sent-1)
}
