package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Verdict is what a run says of one claim.
type Verdict struct {
	Claim  string
	Goal   string
	Figure string // the worst
	Of     string // the shape that has it, and among how many
	Answer Answer
}

// VerdictHeader is what stands above verdicts.
var VerdictHeader = []string{"goal", "at most", "worst", "of", "met"}

// List is v in the order of VerdictHeader.
func (v Verdict) List() []string {
	return []string{v.Claim, v.Goal, v.Figure, v.Of, string(v.Answer)}
}

// rest is what is no part of a claim.
const rest = "other shapes with a goal"

// notRun is the answer to a claim of which nothing was measured.
const notRun Answer = "not in this run"

// Verdicts goes through the claims, and ends with the shapes that have a goal and
// are part of none, and with what all shapes share: that nothing is allocated.
func (r *Record) Verdicts() []Verdict {
	lines := map[string][]Line{}
	var all []Line
	for _, row := range r.Rows {
		l := NewLine(row)
		if !l.ran() {
			continue
		}
		all = append(all, l)
		lines[row.Claim] = append(lines[row.Claim], l)
	}
	var out []Verdict
	for _, c := range r.Claims {
		of := lines[c.Name]
		if len(of) == 0 {
			out = append(out, Verdict{Claim: c.Name, Answer: notRun})
			continue
		}
		out = append(out, each(c, of))
		if c.Mean > 0 {
			out = append(out, mean(c, of))
		}
	}
	others := slices.DeleteFunc(lines[""], func(l Line) bool { return l.Answer() == "" })
	if len(others) > 0 {
		out = append(out, each(measure.Claim{Name: rest}, others))
	}
	if slices.ContainsFunc(all, func(l Line) bool { return l.NoAllocs }) {
		out = append(out, allocations(all))
	}
	return out
}

// each judges the shapes of a claim one by one and shows the worst: the one
// farthest from its own limit.
func each(c measure.Claim, lines []Line) Verdict {
	worst, missed, answer := lines[0], 0, Met
	for _, l := range lines {
		if l.figure()/l.limit() > worst.figure()/worst.limit() {
			worst = l
		}
		switch l.Answer() {
		case Missed:
			missed++
		case InNoise:
			answer = InNoise
		}
	}
	name := worst.Name
	if c.Name == rest {
		name = worst.Group + ": " + name
	}
	v := Verdict{Claim: c.Name, Goal: worst.goal(), Figure: fmt.Sprintf("%.3f", worst.figure()), Of: name, Answer: answer}
	if worst.Most > 0 {
		v.Figure = fmt.Sprintf("%.0f %s", worst.figure(), worst.Unit)
	}
	if len(lines) > 1 {
		v.Of = fmt.Sprintf("%s; %d of %d within their goal", name, len(lines)-missed, len(lines))
	}
	if missed > 0 {
		v.Answer = Missed
	}
	return v
}

// mean judges the geometric mean of the ratios, by the worse of the two means.
func mean(c measure.Claim, lines []Line) Verdict {
	var ofMedians, byRound []float64
	for _, l := range lines {
		ofMedians, byRound = append(ofMedians, l.Ratio.OfMedians), append(byRound, l.Ratio.ByRound)
	}
	m := math.Max(measure.GeometricMean(ofMedians), measure.GeometricMean(byRound))
	v := Verdict{
		Claim: c.Name + ": geometric mean", Goal: fmt.Sprintf("%.2f", c.Mean),
		Figure: fmt.Sprintf("%.3f", m), Of: fmt.Sprintf("%d shapes", len(lines)), Answer: Missed,
	}
	if m <= c.Mean {
		v.Answer = Met
	}
	return v
}

// allocations judges what all shapes in steady state have in common.
func allocations(lines []Line) Verdict {
	v := Verdict{Claim: "nothing allocated in steady state", Goal: "0", Figure: "0", Answer: Met}
	must, dirty, worst := 0, 0, 0.0
	for _, l := range lines {
		if !l.NoAllocs {
			continue
		}
		must++
		if n := allocs(l.ours()); !l.Clean() {
			dirty++
			if n > worst {
				worst, v.Figure, v.Of = n, digits(n), l.Name
			}
		}
	}
	if dirty > 0 {
		v.Answer = Missed
		v.Of += "; "
	}
	v.Of += fmt.Sprintf("%d of %d shapes clean", must-dirty, must)
	return v
}
