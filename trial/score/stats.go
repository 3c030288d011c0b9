package score

import (
	"math"
	"slices"
)

// Distribute sums up values, durations in milliseconds, and leaves them as
// they are. Median and P95 are nearest-rank percentiles: the smallest value
// that at least half, or 95 %, of the values do not exceed. Each is therefore
// a value that was measured; the median of an even number of values is the
// lower of the two in the middle. What is no finite number is left out.
func Distribute(values []float64) Distribution {
	sorted := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sorted = append(sorted, v)
		}
	}
	n := len(sorted)
	if n == 0 {
		return Distribution{}
	}
	slices.Sort(sorted)
	mean := 0.0
	for _, v := range sorted {
		mean += v / float64(n) // the sum alone may be too large for a float64
	}
	return Distribution{
		N:      n,
		Min:    sorted[0],
		Median: NearestRank(sorted, 50),
		P95:    NearestRank(sorted, 95),
		Max:    sorted[n-1],
		Mean:   mean,
	}
}

// NearestRank returns the value of rank ceil(percent/100 * n), counted from 1,
// of n sorted values, of which there is at least one.
func NearestRank(sorted []float64, percent int) float64 {
	rank := (percent*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// Wilson returns the share k of n with its 95 % score interval (Wilson 1927,
// without continuity correction). Unlike the textbook's interval it stays
// within 0 to 1 and says something when k is 0 or n. Of n = 0 nothing is known:
// the value is 0, the interval from 0 to 1. k outside 0 to n counts as the
// nearest of the two.
func Wilson(k, n int) Rate {
	if n <= 0 {
		return Rate{Low: 0, High: 1}
	}
	k = min(max(k, 0), n)
	size, share := float64(n), float64(k)/float64(n)
	z2 := z95 * z95 / size
	middle := (share + z2/2) / (1 + z2)
	half := z95 * math.Sqrt(share*(1-share)/size+z2/(4*size)) / (1 + z2)
	rate := Rate{Value: share, Low: max(middle-half, 0), High: min(middle+half, 1)}
	if k == 0 {
		rate.Low = 0 // exactly: the formula misses it by a rounding
	}
	if k == n {
		rate.High = 1
	}
	return rate
}
