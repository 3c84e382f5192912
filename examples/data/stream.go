package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Skeleton is where a program with two sides begins: both sides, the close, the
// wait, and what becomes of one side when the other gives up, are written before
// anything is made or used.
//
// As printed it is a receiving loop and a sending loop without a word on how
// they end, which is what the programs built on it then lack.
func Skeleton(w io.Writer) {
	fmt.Fprintln(w, "both to the end:", pair(w, 9))
	fmt.Fprintln(w, "one gives up:", pair(w, 1))
}

var errEnough = errors.New("that is enough")

// pair runs both sides and waits for both. The receiver uses no more than limit.
func pair(w io.Writer, limit int) error {
	ctx, cancel := context.WithCancel(context.Background())
	c := handoff.Make[string](0)
	var produced, consumed error
	var both sync.WaitGroup
	both.Go(func() { produced = produce(ctx, c.Sender) })
	both.Go(func() {
		defer cancel() // a receiver that gives up ends the sender
		consumed = consume(ctx, c.Receiver, w, limit)
	})
	both.Wait()
	if consumed != nil {
		return consumed // why the sender was ended, if it was
	}
	return produced
}

// produce owns the sending end: it closes on every way out.
func produce(ctx context.Context, out handoff.Sender[string]) error {
	defer out.Close()
	for _, made := range []string{"first", "second", "third"} { // what is made goes here
		if err := out.Send(ctx, made); err != nil {
			return err
		}
	}
	return nil
}

// consume receives until the other side has closed.
func consume(ctx context.Context, in handoff.Receiver[string], w io.Writer, limit int) error {
	used := 0
	for v, err := range in.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "used the", v) // what is done with it goes here
		if used++; used == limit {
			return errEnough // the next one stays with the sender
		}
	}
	return nil
}

// Numbers passes ten numbers from a goroutine to another.
//
// As printed, the sender never closes, so the receiver waits for an eleventh for
// ever; and main does not wait for the tenth to be printed.
func Numbers(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](0)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		for v := range c.All(ctx) {
			fmt.Fprintln(w, v)
		}
	})
	for i := range 10 {
		c.Send(ctx, i)
	}
	c.Close()
	receiver.Wait()
}

// OkAndRange receives one value by itself, then the others in a loop.
//
// As printed, the close stands behind the loop that only the close would end, and
// main waits for it by one more receive of the data: it takes a value away from
// the receiver that was to print it and is gone, or, if none is left, everybody
// waits for ever. Here who sends closes, and the end has a channel of its own.
func OkAndRange(w io.Writer) {
	ctx := context.Background()
	c, done := handoff.Make[int](5), handoff.Make[struct{}](0)
	go func() {
		defer done.Close()
		v, err := c.Recv(ctx)
		fmt.Fprintln(w, "first", v, "open:", !errors.Is(err, handoff.ErrClosed))
		sum, n := 0, 0
		for v := range c.All(ctx) {
			sum, n = sum+v, n+1
		}
		fmt.Fprintln(w, "and", n, "more, which add up to", sum)
	}()
	for i := range 10 {
		c.Send(ctx, i)
	}
	c.Close()
	done.Recv(ctx)
}

// CloseAndWait ends a stream by a close, and a program by waiting for who
// receives it.
//
// As printed it is right: what the others lack is here.
func CloseAndWait(w io.Writer) {
	ctx := context.Background()
	c := handoff.Make[int](3)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		n := 0
		for range c.All(ctx) {
			n++
		}
		fmt.Fprintln(w, "received", n)
	})
	for i := range 10 {
		c.Send(ctx, i)
	}
	c.Close()
	receiver.Wait()
}
