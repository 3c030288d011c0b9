package score

import (
	"math"
	"slices"
)

// Distribute summarizes values, durations in milliseconds, without changing them. Median
// and P95 are nearest-rank percentiles: the smallest value that at least half, or 95 %, of
// the values do not exceed. So each is a measured value, and the median of an even number
// of values is the lower of the two in the middle. Infinite values and NaN are left out.
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
		mean += v / float64(n) // the sum could overflow a float64
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

// NearestRank returns the value of rank ceil(percent/100 * n), from 1, of n sorted values.
// There must be at least one value.
func NearestRank(sorted []float64, percent int) float64 {
	rank := (percent*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

// z95 is the 97.5 % quantile of the standard normal distribution.
const z95 = 1.959963984540054

// Wilson returns the share k of n with its 95 % score interval (Wilson 1927, without
// continuity correction). Unlike the usual normal approximation, the interval stays within
// 0 to 1 and is useful when k is 0 or n. If n is 0, the value is 0 and the interval 0 to 1.
// A k outside 0 to n is clamped.
func Wilson(k, n int) Rate {
	if n <= 0 {
		return Rate{Low: 0, High: 1}
	}
	k = min(max(k, 0), n)
	return WilsonShare(float64(k)/float64(n), float64(n))
}

// WilsonShare is Wilson for a share from 0 to 1 of n observations. N must be more than 0, but
// need not be an integer.
func WilsonShare(share, n float64) Rate {
	z2 := z95 * z95 / n
	middle := (share + z2/2) / (1 + z2)
	half := z95 * math.Sqrt(share*(1-share)/n+z2/(4*n)) / (1 + z2)
	rate := Rate{Value: share, Low: max(middle-half, 0), High: min(middle+half, 1)}
	if share == 0 {
		rate.Low = 0 // the formula has a rounding error here
	}
	if share == 1 {
		rate.High = 1
	}
	return rate
}
