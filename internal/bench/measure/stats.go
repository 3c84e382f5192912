package measure

import (
	"math"
	"slices"
	"time"
)

// Quantile returns the value below which the part q of xs lies, between two
// values in proportion. It is NaN for no values.
func Quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	return between(slices.Sorted(slices.Values(xs)), q)
}

// Quantiles is Quantile of each of qs, in nanoseconds. It sorts xs.
func Quantiles(xs []time.Duration, qs ...float64) []float64 {
	slices.Sort(xs)
	out := make([]float64, len(qs))
	for i, q := range qs {
		out[i] = between(xs, q)
	}
	return out
}

func between[T ~int64 | ~float64](sorted []T, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return float64(sorted[low])
	}
	part := at - float64(low)
	return float64(sorted[low])*(1-part) + float64(sorted[low+1])*part
}

// Median is the middle of xs.
func Median(xs []float64) float64 { return Quantile(xs, 0.5) }

// Ratio compares a with b, which were taken in the same rounds.
type Ratio struct {
	OfMedians float64 // median of a by median of b
	ByRound   float64 // median of the ratios of each round
}

// Compare returns the ratio of a to b.
func Compare(a, b []float64) Ratio {
	rounds := make([]float64, min(len(a), len(b)))
	for i := range rounds {
		rounds[i] = a[i] / b[i]
	}
	return Ratio{Median(a) / Median(b), Median(rounds)}
}

// Worse is the larger of the two figures: a claim must hold by both.
func (r Ratio) Worse() float64 { return max(r.OfMedians, r.ByRound) }

// Spread is how far r is from 1. Between a contender and itself that is the
// noise of the run.
func (r Ratio) Spread() float64 {
	return max(math.Abs(r.OfMedians-1), math.Abs(r.ByRound-1))
}

// GeometricMean of ratios; NaN for none.
func GeometricMean(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, x := range xs {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(xs)))
}
