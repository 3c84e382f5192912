package leaks_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/leaks"
)

func ExampleReceivers() {
	leaks.Receivers(os.Stdout)
	// Output: receivers released: 10
}

func ExampleSendersMet() {
	leaks.SendersMet(os.Stdout)
	// Output: received 100
}

func ExampleSendersTimeout() {
	leaks.SendersTimeout(os.Stdout)
	// Output:
	// gave up after the channel's time: 50
	// gave up when the context ended: 50
}
