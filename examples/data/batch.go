package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Batch sends and receives many values in one crossing each, while each value
// keeps its own slot and its own place.
//
// The article has batches only as arrays, for which see Parcels.
func Batch(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](8)
	n, _ := c.SendAll(ctx, []int{1, 2, 3, 4, 5, 6})
	fmt.Fprintln(w, "sent", n)
	c.Close()
	buf := make([]int, 4)
	for {
		n, err := c.RecvInto(ctx, buf)
		if errors.Is(err, handoff.ErrClosed) {
			return
		}
		fmt.Fprintln(w, "received", buf[:n])
	}
}

// parcel is an array that crosses as one value.
type parcel struct {
	numbers [8]int
	filled  int
}

// Parcels packs many numbers into one value, so that they need one slot and one
// crossing together.
//
// The article only describes it. The last parcel is seldom full and has to say
// so, and a number waits until its parcel is; a batch has neither cost.
func Parcels(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[parcel](2)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		sum, parcels := 0, 0
		for p := range c.All(ctx) {
			parcels++
			for _, n := range p.numbers[:p.filled] {
				sum += n
			}
		}
		fmt.Fprintln(w, parcels, "parcels, which add up to", sum)
	})
	var p parcel
	for n := range 100 {
		p.numbers[p.filled] = n
		if p.filled++; p.filled == len(p.numbers) {
			c.Send(ctx, p)
			p.filled = 0
		}
	}
	if p.filled > 0 {
		c.Send(ctx, p)
	}
	c.Close()
	receiver.Wait()
}
