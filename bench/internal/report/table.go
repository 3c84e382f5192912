package report

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/handoff-go/handoff/bench/internal/measure"
)

// line is what a table says about one shape.
type line struct {
	measure.Row
	ours, base, again *measure.Figures
	ratio, noise      measure.Ratio
}

func newLine(r measure.Row) line {
	l := line{Row: r, ours: &r.Figures[0], base: &r.Figures[1], again: &r.Figures[len(r.Figures)-1]}
	l.ratio = measure.Compare(l.ours.Ns, l.base.Ns)
	l.noise = measure.Compare(l.again.Ns, l.base.Ns)
	return l
}

// limit is the largest ratio, or amount, that is within the goal.
func (l *line) limit() float64 {
	if l.Most > 0 {
		return l.Most
	}
	return l.Goal + l.noise.Spread()
}

// The answers to whether a goal is met.
const (
	met    = "yes"
	inside = "in noise" // met only because the noise of the run counts
	missed = "NO"
)

// within says whether the goal is met, by the worse of the two ratios.
func (l *line) within() string {
	switch worse := l.ratio.Worse(); {
	case l.Most > 0 && math.Round(measure.Median(l.ours.Ns)) <= l.Most:
		return met
	case l.Most > 0:
		return missed
	case l.Goal == 0:
		return ""
	case worse <= l.Goal:
		return met
	case worse <= l.limit():
		return inside
	}
	return missed
}

// few is how many objects per operation count as none: what the runtime itself
// allocates now and then in the course of thousands of operations.
const few = 0.005

func allocs(f *measure.Figures) float64 { return measure.Median(f.Allocs) }

// clean says whether a shape that must not allocate does not.
func (l *line) clean() bool { return !l.NoAllocs || allocs(l.ours) < few }

// allocated is the number of objects per operation, with the sign of a missed
// goal.
func (l *line) allocated() string {
	text := objects(l.ours)
	if !l.clean() {
		text += " NO"
	}
	return text
}

func objects(f *measure.Figures) string {
	n := allocs(f)
	if n < few {
		return "0"
	}
	if math.Abs(n-math.Round(n)) < few {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

// nanoseconds is median, minimum and 90th percentile of f.
func nanoseconds(f *measure.Figures) string {
	return fmt.Sprintf("%s (%s, %s)", ns(measure.Median(f.Ns)), ns(measure.Quantile(f.Ns, 0)), ns(measure.Quantile(f.Ns, 0.9)))
}

// ns shows three digits, as more mean nothing.
func ns(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// Text writes the tables of r for a terminal.
func (r *Record) Text(w io.Writer) error {
	a := r.About
	fmt.Fprintf(w, "%s, %d cores, %s, %s, commit %s, %s form, %d rounds of about %s, load %s\n",
		a.CPU, a.Cores, a.Go, a.Target, a.Commit, a.Form, a.Rounds, a.Sample, a.Load)
	fmt.Fprint(w, "ns per operation: median (minimum, 90th percentile); ratio of the medians, and median ratio by round\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	group := ""
	for _, row := range r.Rows {
		l := newLine(row)
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(t, "%s\tours\t%s\tagain\tratio\tby round\tnoise\tgoal\tmet\tallocs\tof %s\n", group, l.base.Name, l.base.Name)
		}
		ratio, byRound, noise := l.ratios()
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Name,
			nanoseconds(l.ours), nanoseconds(l.base), nanoseconds(l.again),
			ratio, byRound, noise, l.goal(), l.within(), l.allocated(), objects(l.base))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.Verdict())
	return err
}

// ratios shows both, but for amounts that have a goal of their own, which the
// base may have none of.
func (l *line) ratios() (ofMedians, byRound, noise string) {
	if l.Most > 0 {
		return "", "", ""
	}
	return fmt.Sprintf("%.2f", l.ratio.OfMedians), fmt.Sprintf("%.2f", l.ratio.ByRound), fmt.Sprintf("±%.2f", l.noise.Spread())
}

func (l *line) goal() string {
	switch {
	case l.Most > 0:
		return fmt.Sprintf("%.0f %s", l.Most, l.Unit)
	case l.Goal == 0:
		return ""
	}
	return fmt.Sprintf("%.2f", l.limit())
}

// Verdict sums a record up in one sentence.
func (r *Record) Verdict() string {
	answers := map[string]int{}
	dirty := 0
	var plain []float64
	for _, row := range r.Rows {
		l := newLine(row)
		answers[l.within()]++
		if !l.clean() {
			dirty++
		}
		if row.Group == "plain" {
			plain = append(plain, l.ratio.OfMedians)
		}
	}
	return fmt.Sprintf("%d shapes are within their goal, %d only within the noise, %d are not; geometric mean of the plain shapes %.2f; %d shapes allocate that must not.",
		answers[met], answers[inside], answers[missed], measure.GeometricMean(plain), dirty)
}
