package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/handoff-go/handoff"
)

// Lent hands a page out by pointer and gets it back through a second channel, on
// which sender and receiver have changed places.
//
// The article only describes it.
func Lent(w io.Writer) {
	ctx := context.Background()
	out, back := handoff.Make[*page](0), handoff.Make[*page](0)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer back.Close()
		for p := range out.All(ctx) {
			p.number++ // it has custody
			back.Send(ctx, p)
		}
	})
	p := &page{number: 1}
	for range 2 {
		out.Send(ctx, p)
		p, _ = back.Recv(ctx)
		fmt.Fprintln(w, "back with number", p.number)
	}
	out.Close()
	writer.Wait()
}

// Returned lends with one channel: a receiver that takes a value may give it
// back, and one that forgets to has it taken away.
//
// The language has no such thing: there a receive is final.
func Returned(w io.Writer) {
	ctx := context.Background()
	shelf := handoff.Make[string](1)
	shelf.Send(ctx, "the book")
	for range 2 {
		d, _ := shelf.Take(ctx)
		fmt.Fprintln(w, "lent", d.Value+", attempt", d.Attempt)
		d.Return()
	}

	strict := handoff.Make[string](1, handoff.MaxHold(10*time.Millisecond))
	strict.Send(ctx, "the atlas")
	forgotten, _ := strict.Take(ctx)
	next, _ := strict.Take(ctx) // waits until the first has held it too long
	fmt.Fprintln(w, "lent", next.Value+", attempt", next.Attempt)
	fmt.Fprintln(w, "too late for the first:", errors.Is(forgotten.Done(), handoff.ErrSettled))
	next.Done()
}
