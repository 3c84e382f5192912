//go:build unix

package patterns_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/patterns"
)

func ExampleSignal() {
	patterns.Signal(os.Stdout)
	// Output:
	// work: the last order
	// signal: interrupt
	// ended in good order
}
