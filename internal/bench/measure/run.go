package measure

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"
)

// Body makes a fresh subject, say a channel, and returns the function that does
// n operations on it.
type Body func() func(n int) Sample

// Contender is one way to do what a shape asks for.
type Contender struct {
	Name string
	Body Body   // nil if it cannot run
	Why  string // it cannot run, for the tables: nobody is left out in silence
}

// Again is what the second run of the base is called.
const Again = "again"

// Shape is one thing that can be done in several ways.
type Shape struct {
	Group, Name string
	Ours        Body
	Why         string // ours cannot run, for the tables
	// Rivals are what ours is compared with. The first is the base of the
	// ratio; it runs twice in every round, so that its ratio to itself shows
	// the noise of this run.
	Rivals []Contender
	// Goal is the largest ratio to the base that is good; 0 is no goal. Exactly 1
	// means not slower than the base, so there the noise of the run is added.
	Goal float64
	// Claim is the name of the claim that the shape is a part of, "" if of none.
	Claim string
	// NoAllocs says that ours must allocate nothing in steady state.
	NoAllocs bool
	// Unit is what is measured if it is not nanoseconds: a Sample's Elapsed is
	// then so many of it.
	Unit string
	// Most is the largest amount of the unit that is good, where the goal is no
	// ratio; 0 is no goal.
	Most float64
	// N is how many operations a sample has, and Rounds how many samples are
	// enough, for a shape that cannot be had smaller; 0: as the plan says.
	N, Rounds int
	// AtMost is how many operations a sample has at most, for a rival that takes
	// far longer than the base; 0: as many as the base does in time.
	AtMost int
	// Long says that it is too much for a short run.
	Long bool
	// Last says that it leaves the process changed for good, as a million
	// goroutines do, which the runtime never forgets: it runs after all others.
	Last bool
}

// Contenders returns all that run: ours, the rivals, and the base again.
func (s *Shape) Contenders() []Contender {
	all := append([]Contender{{Name: "ours", Body: s.Ours, Why: s.Why}}, s.Rivals...)
	return append(all, Contender{Name: Again, Body: s.Rivals[0].Body})
}

// Plan says how much to measure.
type Plan struct {
	Rounds int
	Target time.Duration // of one sample
	Told   func(round int)
}

// Claim is what is said of several shapes at once: each has its own goal, and
// the geometric mean of their ratios may have one too.
type Claim struct {
	Name string  `json:"name"`
	Mean float64 `json:"mean,omitempty"` // the largest that is good; 0 is no goal
}

// Figures are the samples of one contender, one for each round.
type Figures struct {
	Name   string    `json:"name"`
	Why    string    `json:"why,omitempty"` // it could not run; there are no samples
	Ns     []float64 `json:"ns"`            // per operation
	Allocs []float64 `json:"allocs"`        // per operation; none if they are not known
	CPU    []float64 `json:"cpu,omitempty"` // ns of all cores per operation
	// The quantiles of the operations of each round, in ns, where every one is
	// timed by itself.
	P50  []float64 `json:"p50,omitempty"`
	P99  []float64 `json:"p99,omitempty"`
	P999 []float64 `json:"p999,omitempty"`
}

// add adds a sample of n operations.
func (f *Figures) add(s Sample, n int) {
	f.Ns = append(f.Ns, float64(s.Elapsed.Nanoseconds())/float64(n))
	if !s.Elsewhere {
		f.Allocs = append(f.Allocs, float64(s.Mallocs)/float64(n))
	}
	if KnowsCPU || s.Elsewhere {
		f.CPU = append(f.CPU, float64(s.CPU.Nanoseconds())/float64(n))
	}
	if len(s.Each) > 0 {
		q := Quantiles(s.Each, 0.5, 0.99, 0.999)
		f.P50, f.P99, f.P999 = append(f.P50, q[0]), append(f.P99, q[1]), append(f.P999, q[2])
	}
}

// Row is what was measured of one shape: ours first, then the base, then the
// other rivals, and at the end the base again.
type Row struct {
	Group    string    `json:"group"`
	Name     string    `json:"name"`
	Claim    string    `json:"claim,omitempty"`
	Goal     float64   `json:"goal,omitempty"`
	NoAllocs bool      `json:"noAllocs,omitempty"`
	Unit     string    `json:"unit,omitempty"` // of Ns, if not nanoseconds
	Most     float64   `json:"most,omitempty"`
	N        int       `json:"n"` // operations in a sample
	Figures  []Figures `json:"figures"`
}

// Run measures shapes. Every round goes through all of them, so that a noisy
// minute falls on a few rounds of every shape and not on all rounds of a few;
// within a round the order of the shapes, and of the contenders of each, is
// random. When ctx ends, so does the run, with what was measured so far and the
// cause.
func Run(ctx context.Context, shapes []*Shape, p Plan) ([]Row, error) {
	rows := make([]Row, len(shapes))
	for i, s := range shapes {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		rows[i] = newRow(s, p.Target)
	}
	for _, last := range []bool{false, true} {
		for round := range p.Rounds {
			if p.Told != nil && !last {
				p.Told(round)
			}
			for _, i := range rand.Perm(len(shapes)) {
				if ctx.Err() != nil {
					return rows, context.Cause(ctx)
				}
				if most := shapes[i].Rounds; shapes[i].Last == last && (most == 0 || round < most) {
					rows[i].measure(shapes[i])
				}
			}
		}
	}
	return rows, nil
}

func newRow(s *Shape, target time.Duration) Row {
	r := Row{Group: s.Group, Name: s.Name, Claim: s.Claim, Goal: s.Goal, NoAllocs: s.NoAllocs, Unit: s.Unit, Most: s.Most, N: s.N}
	if r.N == 0 {
		r.N = calibrate(s.Rivals[0].Body, target)
		if s.AtMost > 0 {
			r.N = min(r.N, s.AtMost)
		}
	}
	for _, c := range s.Contenders() {
		r.Figures = append(r.Figures, Figures{Name: c.Name, Why: c.Why})
	}
	return r
}

// measure adds one round.
func (r *Row) measure(s *Shape) {
	contenders := s.Contenders()
	for _, k := range rand.Perm(len(contenders)) {
		if contenders[k].Body == nil {
			continue
		}
		r.Figures[k].add(s.once(contenders[k].Body, r.N), r.N)
	}
}

// single says that each sample is one big operation, which needs no warming.
func (s *Shape) single() bool { return s.N > 0 }

// warm is which part of the operations runs before the clock does, so that
// caches, and the records channels keep, are as they are in steady state.
const warm = 8

func (s *Shape) once(b Body, n int) Sample {
	work := b()
	runtime.GC() // the garbage of one contender is not the next one's to collect
	if !s.single() {
		work(n/warm + 1)
	}
	return work(n)
}

// calibrate returns how many operations take about target.
func calibrate(b Body, target time.Duration) int {
	work := b()
	for n := 64; ; n *= 2 {
		elapsed := work(n).Elapsed
		if elapsed >= target/8 {
			return max(1, int(float64(n)*float64(target)/float64(elapsed)))
		}
	}
}
