package measure

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	xs := []float64{4, 1, 3, 2, 5}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.5, 3}, {0.9, 4.6}, {1, 5}} {
		if got := Quantile(xs, c.q); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("Quantile(%v, %v) = %v, want %v", xs, c.q, got, c.want)
		}
	}
	if xs[0] != 4 {
		t.Errorf("Quantile sorted its argument: %v", xs)
	}
	if got := Quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("Quantile of nothing = %v, want NaN", got)
	}
	if got := Median([]float64{2, 1}); got != 1.5 {
		t.Errorf("Median(2, 1) = %v, want 1.5", got)
	}
}

// The two ratios differ when the noise comes in rounds, and the worse one counts.
func TestCompare(t *testing.T) {
	a, b := []float64{1, 10, 300}, []float64{1, 20, 100}
	r := Compare(a, b)
	if r.OfMedians != 0.5 || r.ByRound != 1 {
		t.Errorf("Compare(%v, %v) = %+v, want 0.5 and 1", a, b, r)
	}
	if got := r.Worse(); got != 1 {
		t.Errorf("Worse() = %v, want 1", got)
	}
	if got := r.Spread(); got != 0.5 {
		t.Errorf("Spread() = %v, want 0.5", got)
	}
}

func TestGeometricMean(t *testing.T) {
	if got := GeometricMean([]float64{0.5, 2, 8}); math.Abs(got-2) > 1e-9 {
		t.Errorf("GeometricMean(0.5, 2, 8) = %v, want 2", got)
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, n := range []int{0, 1, 7, 100} {
		sum := 0
		for i := range 8 {
			sum += Share(n, 8, i)
		}
		if sum != n {
			t.Errorf("8 shares of %d add up to %d", n, sum)
		}
	}
}

// sleeper takes so long for one operation, and counts the samples it was asked
// for.
func sleeper(d time.Duration, samples *int) Body {
	return func() func(int) Sample {
		*samples++
		return func(n int) Sample { return Sample{Elapsed: time.Duration(n) * d, Mallocs: uint64(n)} }
	}
}

func TestRunMeasuresEveryContenderInEveryRound(t *testing.T) {
	var ours, base int
	s := &Shape{Name: "sleep", Ours: sleeper(30, &ours), Rivals: []Contender{{Name: "base", Body: sleeper(10, &base)}, {Name: "gone", Why: "not here"}}, Goal: 1.5}
	const rounds = 5
	rows, err := Run(t.Context(), []*Shape{s}, Plan{Rounds: rounds, Target: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	r := rows[0]
	if ours != rounds || base != 2*rounds+1 { // once to calibrate
		t.Errorf("%d samples of ours and %d of the base, want %d and %d", ours, base, rounds, 2*rounds+1)
	}
	if r.N != 100 {
		t.Errorf("%d operations a sample, want 100 of 10 ns in 1 µs", r.N)
	}
	if got := Compare(r.Figures[0].Ns, r.Figures[1].Ns); got.OfMedians != 3 || got.ByRound != 3 {
		t.Errorf("ratio %+v, want 3", got)
	}
	if got := Compare(r.Figures[3].Ns, r.Figures[1].Ns).Spread(); got != 0 {
		t.Errorf("the base is %v from itself, want 0", got)
	}
	if gone := r.Figures[2]; gone.Why != "not here" || len(gone.Ns) > 0 {
		t.Errorf("who cannot run is %+v, want the reason and no samples", gone)
	}
	if got := r.Figures[0].Allocs[0]; got != 1 {
		t.Errorf("%v allocations an operation, want 1", got)
	}
}

func TestTogetherRunsAllAtTheSameTime(t *testing.T) {
	a, b := make(chan int), make(chan int)
	s := Together(func() { a <- 1; <-b }, func() { <-a; b <- 1 }) // one after the other they would block
	if s.Elapsed <= 0 {
		t.Errorf("Together took %v", s.Elapsed)
	}
}

func TestASampleHasAtMostSoManyOperations(t *testing.T) {
	var ours, base int
	s := &Shape{Ours: sleeper(10, &ours), Rivals: []Contender{{Name: "base", Body: sleeper(10, &base)}}, AtMost: 30}
	rows, err := Run(t.Context(), []*Shape{s}, Plan{Rounds: 1, Target: time.Microsecond})
	if err != nil || rows[0].N != 30 {
		t.Errorf("%d operations a sample, %v, want 30", rows[0].N, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var ours, base int
	s := &Shape{Ours: sleeper(1, &ours), Rivals: []Contender{{Name: "base", Body: sleeper(1, &base)}}, N: 10}
	told := func(round int) {
		if round == 2 {
			cancel(enough)
		}
	}
	if _, err := Run(ctx, []*Shape{s}, Plan{Rounds: 100, Told: told}); err != enough || ours != 2 {
		t.Errorf("a run that was ended in round 2 took %d samples of ours and says %v", ours, err)
	}
}

// An operation may be timed by itself, and may happen in another process.
func TestASampleIsKeptByWhatIsKnownOfIt(t *testing.T) {
	var f Figures
	each := make([]time.Duration, 1001)
	for i := range each {
		each[len(each)-1-i] = time.Duration(i)
	}
	f.add(Sample{Elapsed: 20, CPU: 40, Elsewhere: true, Each: each}, 10)
	if f.Ns[0] != 2 || f.CPU[0] != 4 || len(f.Allocs) != 0 {
		t.Errorf("kept %+v, want 2 ns, 4 ns of CPU and no count of allocations", f)
	}
	if f.P50[0] != 500 || f.P99[0] != 990 || f.P999[0] != 999 {
		t.Errorf("quantiles %v, %v, %v of 0 to 1000", f.P50, f.P99, f.P999)
	}
}

func TestCPUTimeIsThatOfTheProcess(t *testing.T) {
	if !KnowsCPU {
		t.Skip("this system does not tell")
	}
	spin := func() {
		for end := time.Now().Add(30 * time.Millisecond); time.Now().Before(end); {
		}
	}
	idle := Alone(func() { time.Sleep(30 * time.Millisecond) })
	if busy := Alone(spin); busy.CPU <= idle.CPU || busy.CPU < time.Millisecond {
		t.Errorf("%v of CPU while it spins, %v while it sleeps", busy.CPU, idle.CPU)
	}
}
