package data

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// page is too big to be copied for nothing.
type page struct {
	number int
	text   [4096]byte
}

// ByValue passes a copy: what the sender does with its own afterwards is not
// seen.
//
// The article only describes it, as the way for small data.
func ByValue(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[page](1)
	mine := page{number: 1}
	c.Send(ctx, mine)
	mine.number = 2
	theirs, _ := c.Recv(ctx)
	fmt.Fprintln(w, "sender has", mine.number, "receiver has", theirs.number)
}

// ByPointer passes custody of memory: nothing is copied, and the sender lets go
// of it.
//
// The article says that the sender's reference becomes invalid. The language
// does not see to that, it is a promise; under -race this package reports a
// sender that touches what it has handed over.
func ByPointer(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[*page](1)
	mine := &page{number: 1}
	where := fmt.Sprintf("%p", mine) // an address in words refers to nothing
	c.Send(ctx, mine)
	mine = nil
	theirs, _ := c.Recv(ctx)
	theirs.number++ // no lock: nobody else has it
	fmt.Fprintln(w, "page", theirs.number, "in the same memory:", fmt.Sprintf("%p", theirs) == where)
}

// Guarded asks for control over shared data instead of locking it: the data is
// in a slot, and who takes it out has it alone.
//
// The article only describes it. A program that forgets to put the data back
// stands still, as one that forgets to unlock does.
func Guarded(w io.Writer) {
	ctx := context.Background()
	balance := handoff.Make[int](1)
	balance.Send(ctx, 0)
	var everybody sync.WaitGroup
	for range 10 {
		everybody.Go(func() {
			n, _ := balance.Recv(ctx)
			balance.Send(ctx, n+5)
		})
	}
	everybody.Wait()
	n, _ := balance.Recv(ctx)
	fmt.Fprintln(w, "balance", n)
}
