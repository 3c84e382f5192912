package events_test

import (
	"os"

	"github.com/handoff-go/handoff/examples/events"
)

func ExampleNotice() {
	events.Notice(os.Stdout)
	// Output: x is 1
}

func ExampleDataAndEnd() {
	events.DataAndEnd(os.Stdout)
	// Output:
	// used 100
	// ended: true
}

func ExampleConfirmed() {
	events.Confirmed(os.Stdout)
	// Output:
	// used 100
	// confirmed: true
}

func ExampleDone() {
	events.Done(os.Stdout)
	// Output:
	// working 0
	// working 1
	// working 2
	// done
}

func ExampleClosed() {
	events.Closed(os.Stdout)
	// Output:
	// working 0
	// working 1
	// working 2
	// waiters told: 3
}

func ExamplePingPong() {
	events.PingPong(os.Stdout)
	// Output:
	// A 0
	// B 0
	// A 1
	// B 1
	// A 2
	// B 2
}

func ExampleTicks() {
	events.Ticks(os.Stdout)
	// Output: exit after three ticks or more: true
}

func ExampleStartingGun() {
	events.StartingGun(os.Stdout)
	// Output:
	// ready, and running before the gun: 0
	// ran: [0 1 2]
}

func ExampleTokens() {
	events.Tokens(os.Stdout)
	// Output:
	// token 0 started one, still waiting: 2
	// token 1 started one, still waiting: 1
	// token 2 started one, still waiting: 0
}
