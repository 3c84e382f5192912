package choose_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/choose"
)

func ExampleTwo() {
	choose.Two(os.Stdout)
	// Output: received from the second
}

func ExampleUnready() {
	choose.Unready(os.Stdout)
	// Output:
	// nothing there
	// received 7
}

func ExampleSendOrReceive() {
	choose.SendOrReceive(os.Stdout)
	// Unordered output:
	// one gave
	// one took
}

func ExampleThree() {
	choose.Three(os.Stdout)
	// Output:
	// received 9
	// received 11
	// received 10
	// all closed, values: 3
}

func ExampleListed() {
	choose.Listed(os.Stdout)
	// Output: 4 channels add up to 66
}
