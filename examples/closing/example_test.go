package closing_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/closing"
)

func ExampleDrained() {
	closing.Drained(os.Stdout)
	// Output:
	// 10 closed: false
	// 20 closed: false
	// 0 closed: true
	// 0 closed: true
}

func ExampleAfterClose() {
	closing.AfterClose(os.Stdout)
	// Output:
	// a sender that came before or after: true
	// a second close: true
}

func ExampleNilBlocks() {
	closing.NilBlocks(os.Stdout)
	// Output:
	// ready to send: false <nil>
	// ready to receive: false <nil>
	// waited until the context ended: true
}

func ExampleOneWay() {
	closing.OneWay(os.Stdout)
	// Output:
	// 0
	// 1
	// 2
}
