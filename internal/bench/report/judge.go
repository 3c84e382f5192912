package report

import (
	"fmt"
	"math"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Line is what was measured of one shape, and what is to be said of it.
type Line struct {
	measure.Row
	Ratio measure.Ratio // of ours to the base
	Noise measure.Ratio // of the base to itself
}

// NewLine compares what r holds.
func NewLine(r measure.Row) Line {
	l := Line{Row: r}
	l.Ratio = measure.Compare(l.ours().Ns, l.base().Ns)
	l.Noise = measure.Compare(r.Figures[len(r.Figures)-1].Ns, l.base().Ns)
	return l
}

// ran says whether ours could run.
func (l *Line) ran() bool { return len(l.ours().Ns) > 0 }

func (l *Line) ours() *measure.Figures { return &l.Figures[0] }
func (l *Line) base() *measure.Figures { return &l.Figures[1] }

// shown are all contenders but the second run of the base, which is its noise.
func (l *Line) shown() []measure.Figures { return l.Figures[:len(l.Figures)-1] }

// Answer says whether a goal is met; "" is of what has no goal.
type Answer string

// The answers. InNoise is met only because the noise of the run counts, which it
// does where the goal is exactly 1, that is, not to be slower.
const (
	Met     Answer = "met"
	InNoise Answer = "met, in noise"
	Missed  Answer = "MISSED"
)

// limit is the largest ratio, or amount, that is within the goal.
func (l *Line) limit() float64 {
	switch {
	case l.Most > 0:
		return l.Most
	case l.Goal == 1:
		return 1 + l.Noise.Spread()
	}
	return l.Goal
}

// figure is what is held against the limit: an amount, or the worse of the two
// ratios.
func (l *Line) figure() float64 {
	if l.Most > 0 {
		return math.Round(measure.Median(l.ours().Ns))
	}
	return l.Ratio.Worse()
}

// Answer judges the shape.
func (l *Line) Answer() Answer {
	switch figure := l.figure(); {
	case l.Most == 0 && l.Goal == 0, !l.ran():
		return ""
	case l.Most == 0 && figure <= l.Goal:
		return Met
	case !(figure <= l.limit()):
		return Missed
	case l.Most > 0:
		return Met
	}
	return InNoise
}

// few is how many objects per operation count as none: what the runtime itself
// allocates now and then in the course of thousands of operations.
const few = 0.005

func allocs(f *measure.Figures) float64 { return measure.Median(f.Allocs) }

// Clean says whether a shape that must not allocate does not.
func (l *Line) Clean() bool { return !l.NoAllocs || allocs(l.ours()) < few }

// Cells are what a table says of one contender of a shape.
type Cells struct {
	Name                string
	Median, Least, Most string // Most is the 90th percentile of the rounds
	Ratio, ByRound      string
	Allocs, CPU         string
	Goal                string
	Answer              Answer
	Each                string // quantiles of single operations
	Why                 string // it could not run, so that there is nothing else
}

// Header is what stands above Cells.
var Header = []string{"by", "median", "min", "p90", "ratio", "by round", "allocs", "CPU", "goal", "met", "single operations"}

// List is the cells in the order of Header.
func (c Cells) List() []string {
	return []string{c.Name, c.Median, c.Least, c.Most, c.Ratio, c.ByRound, c.Allocs, c.CPU, c.Goal, string(c.Answer), c.Each}
}

// Cells returns those of all contenders: ours, the base, and the others.
func (l *Line) Cells() []Cells {
	var all []Cells
	for i, f := range l.shown() {
		c := Cells{Name: f.Name, Why: f.Why}
		if len(f.Ns) > 0 {
			l.fill(&c, i, &f)
		}
		all = append(all, c)
	}
	return all
}

// fill writes the figures of contender i.
func (l *Line) fill(c *Cells, i int, f *measure.Figures) {
	c.Median, c.Least, c.Most = digits(measure.Median(f.Ns)), digits(measure.Quantile(f.Ns, 0)), digits(measure.Quantile(f.Ns, 0.9))
	if l.Unit == "" {
		c.Allocs, c.CPU = l.objects(i, f), digits(measure.Median(f.CPU))
	}
	switch {
	case l.Most > 0: // the base may have none of it
	case i == 1:
		c.Ratio = fmt.Sprintf("±%.2f", l.Noise.Spread())
	default:
		r := measure.Compare(f.Ns, l.base().Ns)
		c.Ratio, c.ByRound = fmt.Sprintf("%.2f", r.OfMedians), fmt.Sprintf("%.2f", r.ByRound)
	}
	if len(f.P50) > 0 {
		c.Each = fmt.Sprintf("p50 %s, p99 %s, p99.9 %s", digits(measure.Median(f.P50)), digits(measure.Median(f.P99)), digits(measure.Median(f.P999)))
	}
	if i == 0 {
		c.Goal, c.Answer = l.goal(), l.Answer()
	}
}

// goal is what the figure may be at most, and the noise by itself.
func (l *Line) goal() string {
	switch {
	case l.Most > 0:
		return fmt.Sprintf("%.0f %s", l.Most, l.Unit)
	case l.Goal == 0:
		return ""
	case l.Goal == 1:
		return fmt.Sprintf("1+%.2f", l.Noise.Spread())
	}
	return fmt.Sprintf("%.2f", l.Goal)
}

// objects is the number of them per operation, with a sign if ours should be
// none.
func (l *Line) objects(i int, f *measure.Figures) string {
	switch n := allocs(f); {
	case math.IsNaN(n):
		return "?"
	case n < few:
		return "0"
	case i == 0 && !l.Clean():
		return digits(n) + " !"
	case math.Abs(n-math.Round(n)) < few:
		return fmt.Sprintf("%.0f", n)
	default:
		return digits(n)
	}
}

// Title is the name of the shape, and how many rounds it had if they are fewer
// than the run's.
func (l *Line) Title(rounds int) string {
	if got := len(l.base().Ns); got < rounds {
		return fmt.Sprintf("%s (%d rounds)", l.Name, got)
	}
	return l.Name
}

// digits shows three of them, as more mean nothing.
func digits(x float64) string {
	switch {
	case math.IsNaN(x):
		return "?"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
