package patterns_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/patterns"
)

func ExampleFactory() {
	patterns.Factory(os.Stdout)
	// Output:
	// working
	// done: true
}

func ExampleIDs() {
	patterns.IDs(os.Stdout)
	// Output:
	// 0 1
	// the generator has closed
}

func ExampleKeys() {
	patterns.Keys(os.Stdout)
	// Output:
	// order-0000
	// order-0001
	// order-0002
	// closed, and of those ahead five at most: true
}

func ExamplePool() {
	patterns.Pool(os.Stdout)
	// Output: six were asked for, made: 4
}

func ExampleSemaphore() {
	patterns.Semaphore(os.Stdout)
	// Output: all worked, never more than three at once: true
}

func ExampleTimeout() {
	patterns.Timeout(os.Stdout)
	// Output:
	// two steps in a minute: finished
	// a million in 10 ms: timed out, and the function ended after a whole step
}
