package score

import (
	"cmp"
	"math"
	"slices"
)

// Sums tells how well an agent computes checksums.
type Sums struct {
	Rows []SumRow `json:"rows"`          // by number of words, ascending
	Fit  *SumFit  `json:"fit,omitempty"` // nil if there was no answer
}

// SumRow counts the answers to datagrams of one size.
type SumRow struct {
	Words    int  `json:"words"`    // 16-bit words of the datagram, header and data
	Sent     int  `json:"sent"`     //
	Answered int  `json:"answered"` // those whose answer shows a sum
	Right    int  `json:"right"`    // answers with a right checksum, even if something else is wrong
	Rate     Rate `json:"rate"`     // Right of Answered
}

// SumFit is the error rate p of one word, in the model where (1-p)^n of the sums of n words
// are right. P is the maximum-likelihood estimate, Low to High its 95 % interval by the
// likelihood ratio.
type SumFit struct {
	P    float64 `json:"p"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Share returns the share of right sums of n words at the error rate p.
func (f SumFit) Share(p, n float64) float64 { return math.Pow(1-p, n) }

// SumsOf counts right sums by number of words. It leaves out exchanges without Words.
func SumsOf(exchanges []Exchange) []SumRow {
	var rows []SumRow
	for _, x := range exchanges {
		if x.Words == 0 {
			continue
		}
		i := slices.IndexFunc(rows, func(r SumRow) bool { return r.Words == x.Words })
		if i < 0 {
			i, rows = len(rows), append(rows, SumRow{Words: x.Words})
		}
		rows[i].Sent++
		if x.Answer == 0 || x.NoSum {
			continue
		}
		rows[i].Answered++
		if !slices.Contains(x.Faults, FaultTransportChecksum) {
			rows[i].Right++
		}
	}
	for i := range rows {
		rows[i].Rate = Wilson(rows[i].Right, rows[i].Answered)
	}
	slices.SortFunc(rows, func(a, b SumRow) int { return cmp.Compare(a.Words, b.Words) })
	return rows
}

// FitSums estimates p. ok is false if there is no answer.
func FitSums(rows []SumRow) (fit SumFit, ok bool) {
	right, wrong := 0, 0
	for _, r := range rows {
		right += r.Right
		wrong += r.Answered - r.Right
	}
	if right+wrong == 0 {
		return SumFit{}, false
	}
	// With q = -log(1-p), the likelihood of a right sum is exp(-nq). Its
	// logarithm is concave in q, so there is one maximum.
	logLikelihood := func(q float64) float64 {
		sum := 0.0
		for _, r := range rows {
			n := float64(r.Words)
			sum -= float64(r.Right) * n * q
			if w := r.Answered - r.Right; w > 0 {
				sum += float64(w) * math.Log(-math.Expm1(-n*q))
			}
		}
		return sum
	}
	const least, most = 1e-9, 5.0 // bounds of q; p is from a billionth to 99 %
	best := 0.0
	switch {
	case wrong == 0:
	case right == 0:
		best = most
	default:
		best = climb(logLikelihood, least, most)
	}
	const quantile = 3.841 / 2 // half of the 95 % quantile of chi-square with 1 degree of freedom
	enough := logLikelihood(best) - quantile
	low, high := 0.0, most
	if wrong > 0 {
		low = crossing(logLikelihood, enough, least, best)
	}
	if right > 0 {
		high = crossing(logLikelihood, enough, most, max(best, least))
	}
	rate := func(q float64) float64 { return -math.Expm1(-q) }
	return SumFit{P: rate(best), Low: rate(low), High: rate(high)}, true
}

// steps is enough bisections to reach the precision of a float64.
const steps = 200

// climb returns where a concave function has its maximum between two positive numbers.
func climb(f func(float64) float64, low, high float64) float64 {
	a, b := math.Log(low), math.Log(high) // p can have any order of magnitude
	for range steps {
		c, d := a+(b-a)/3, b-(b-a)/3
		if f(math.Exp(c)) < f(math.Exp(d)) {
			a = c
		} else {
			b = d
		}
	}
	return math.Exp((a + b) / 2)
}

// crossing returns where f reaches y, between end, where it is less, and place, where it is
// more.
func crossing(f func(float64) float64, y, end, place float64) float64 {
	if f(end) >= y {
		return end
	}
	for range steps {
		middle := math.Sqrt(end * place)
		if f(middle) < y {
			end = middle
		} else {
			place = middle
		}
	}
	return place
}
