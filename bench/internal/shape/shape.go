// Package shape holds what is measured: for every shape the same work, written
// once for our channel and once for Go's, each in the way its users would. Both
// sides are called directly, without an interface or a type parameter between.
package shape

import (
	"slices"

	"github.com/handoff-go/handoff/bench/internal/measure"
)

// goal is the largest ratio to Go's own channel that is good, for now.
const goal = 1.5

// native is what Go's own channel is called in the tables.
const native = "go"

// All returns every shape, in the order of the tables.
func All() []*measure.Shape {
	return slices.Concat(plain(), pingPongs(), guarded(), selects(), batches(), holds(), lives())
}

// against is a shape that Go's own channel has too.
func against(group, name string, ours, gos measure.Body) *measure.Shape {
	return &measure.Shape{
		Group: group, Name: name, Ours: ours,
		Rivals: []measure.Contender{{Name: native, Body: gos}},
		Goal:   goal, NoAllocs: true,
	}
}

// must ends the run: an operation that fails is not one to be timed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
