package patterns

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/handoff-go/handoff"
)

// Signal waits for a signal of the system and for work in one select: the
// native channel of os/signal is a case beside ours.
//
// The article only names it. On Windows a process cannot send itself an
// interrupt; there the program says so.
func Signal(w io.Writer) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	work := handoff.Make[string](1)
	work.Send(context.Background(), "the last order")

	more := true
	turn := handoff.NewSelector(
		handoff.OnNative(signals, func(s os.Signal, ok bool) {
			fmt.Fprintln(w, "signal:", s)
			more = false
		}),
		work.OnRecv(func(order string, ok bool) {
			fmt.Fprintln(w, "work:", order)
			if err := interrupt(); err != nil {
				fmt.Fprintln(w, err)
				more = false
			}
		}),
	)
	for more {
		turn.Select(context.Background())
	}
	fmt.Fprintln(w, "ended in good order")
}

// interrupt does what Ctrl-C does.
func interrupt() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(os.Interrupt)
}
