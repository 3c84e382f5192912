// Package shape holds what is measured: for every shape the same work, written
// once for our channel and once for Go's, each in the way its users would. Both
// sides are called directly, without an interface or a type parameter between.
package shape

import (
	"slices"

	"github.com/handoff-go/handoff/bench/internal/measure"
)

// native is what Go's own channel is called in the tables.
const native = "go"

// All returns every shape, in the order of the tables.
func All() []*measure.Shape {
	return slices.Concat(plain(), pingPongs(), working(), payloads(), guarded(), selects(), ended(), batches(), holds(), lives(), crowded(), sizes())
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

// must ends the run: an operation that fails is not one to be timed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
