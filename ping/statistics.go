package ping

import (
	"math"
	"time"
)

// Statistics sums up a run.
type Statistics struct {
	Sent       int           // requests sent
	Received   int           // requests answered
	Duplicates int           // replies to requests already answered
	Corrupted  int           // replies with a wrong ICMP checksum
	Errors     int           // ICMP errors, and replies to requests never sent
	Took       time.Duration // from the first request to the last
	Pipe       int           // the most requests open when a reply came

	Min, Max time.Duration // round trip of replies, duplicates included
	Smooth   time.Duration // moving average of the round trip, the newest weighted 1/8

	n            int     // round trips
	mean, square float64 // running mean and sum of squared deviations, in ns (Welford)
}

// add adds one round trip.
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

// Average returns the mean round trip, zero if there was none.
func (s *Statistics) Average() time.Duration { return time.Duration(s.mean) }

// Deviation returns the standard deviation of the round trip, zero if there was
// none.
func (s *Statistics) Deviation() time.Duration {
	if s.n == 0 {
		return 0
	}
	return time.Duration(math.Sqrt(s.square / float64(s.n)))
}

// Loss returns the percentage of requests without an answer.
func (s *Statistics) Loss() float64 {
	if s.Sent == 0 {
		return 0
	}
	return float64(s.Sent-s.Received) * 100 / float64(s.Sent)
}

// Gap returns the average time between requests.
func (s *Statistics) Gap() time.Duration {
	if s.Sent < 2 {
		return 0
	}
	return s.Took / time.Duration(s.Sent-1)
}
