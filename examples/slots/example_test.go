package slots_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/slots"
)

func ExampleSlots() {
	slots.Slots(os.Stdout)
	// Output:
	// received 1
	// in slots: 2 of 3
	// left: 2
	// left: 3
}

func ExampleAhead() {
	slots.Ahead(os.Stdout)
	// Output:
	// received 0
	// received 1
	// received 2
	// received 3
	// received 4
	// received 5
	// received 6
	// received 7
	// received 8
	// received 9
	// never more than five ahead: true
}

func ExampleDeadlock() {
	slots.Deadlock(os.Stdout)
	// Output:
	// a receiver waits: false
	// given up when its context ended: true
	// given up after the channel's own time: true
}

func ExampleOneSlot() {
	slots.OneSlot(os.Stdout)
	// Output: received 100
}
