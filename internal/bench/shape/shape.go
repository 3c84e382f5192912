// Package shape holds what is measured: for every shape the same work, written
// once for our channel and once for Go's, each in the way its users would. Both
// sides are called directly, without an interface or a type parameter between.
package shape

import (
	"regexp"
	"slices"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// native is what Go's own channel is called in the tables.
const native = "go"

// All returns every shape, in the order of the tables.
func All() []*measure.Shape {
	return slices.Concat(plain(), pingPongs(), latencies(), working(), payloads(), heaps(), guarded(), selects(), ended(), batches(),
		holds(), lives(), crowded(), sizes(), idles(), splits(), runtimes(), patterns())
}

// Choose returns those of shapes whose group and name the pattern fits; for a
// short run without the long ones.
func Choose(shapes []*measure.Shape, pattern *regexp.Regexp, short bool) []*measure.Shape {
	var chosen []*measure.Shape
	for _, s := range shapes {
		if pattern.MatchString(s.Group+": "+s.Name) && !(short && s.Long) {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// against is a shape that Go's own channel has too. goal is the largest ratio to
// it that is good.
func against(group, name string, goal float64, ours, gos measure.Body) *measure.Shape {
	return &measure.Shape{
		Group: group, Name: name, Ours: ours,
		Rivals: []measure.Contender{{Name: native, Body: gos}},
		Goal:   goal, NoAllocs: true,
	}
}

// claimed says that shapes are part of a claim.
func claimed(claim string, shapes ...*measure.Shape) []*measure.Shape {
	for _, s := range shapes {
		s.Claim = claim
	}
	return shapes
}

// must ends the run: an operation that fails is not one to be timed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
