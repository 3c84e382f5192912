package slots

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Slots sends three values into five slots, of which a receiver takes one.
//
// As printed, nobody waits for the receiver and nobody looks after the two
// values it leaves: main may be gone before anything is printed. Here main waits,
// and what is left in the slots is taken out.
func Slots(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](5)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		v, _ := c.Recv(ctx)
		fmt.Fprintln(w, "received", v)
	})
	n, _ := c.SendAll(ctx, []int{1, 2, 3}) // waits for nobody: there is room
	receiver.Wait()
	fmt.Fprintln(w, "in slots:", c.Len(), "of", n)
	c.Close()
	for v := range c.All(ctx) {
		fmt.Fprintln(w, "left:", v)
	}
}

// Ahead lets a sender run ahead of its receiver, by as much as there are slots.
//
// As printed, main sends, closes and is gone, while its receiver still has
// values to print: nobody waits for it, and output is lost.
func Ahead(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](5)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		for v := range c.All(ctx) {
			fmt.Fprintln(w, "received", v)
		}
	})
	most := 0
	for i := range 10 {
		c.Send(ctx, i)
		most = max(most, c.Len())
	}
	c.Close()
	receiver.Wait()
	fmt.Fprintln(w, "never more than five ahead:", most <= 5)
}
