package events

import (
	"context"
	"fmt"
	"io"

	"github.com/handoff-go/handoff"
)

// Notice waits for an event instead of asking a shared variable again and again.
//
// As printed, one goroutine spins on a variable that another one writes: a data
// race, so the spinner need never see the write; it waits for a value that is
// never written; and main waits for neither. Here the close is the notice, and
// what was written before it is seen after it.
func Notice(w io.Writer) {
	ctx := context.Background()
	written := handoff.Make[struct{}](0)
	x := 0
	go func() {
		x = 1
		written.Close()
	}()
	written.Recv(ctx) // ErrClosed is the notice
	fmt.Fprintln(w, "x is", x)
}
