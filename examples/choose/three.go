package choose

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// Three receives from three channels until all of them are closed, switching off
// the case of each that is.
//
// As printed, main sends and closes and is gone: it does not wait for the last
// words of the goroutine that receives.
func Three(w io.Writer) {
	ctx := context.Background()
	a, b, c := handoff.Make[int](0), handoff.Make[int](0), handoff.Make[int](0)
	var receiver sync.WaitGroup
	receiver.Go(func() {
		values, open := 0, 3
		var turn *handoff.Selector
		on := func(i int) func(int, bool) {
			return func(v int, ok bool) {
				if ok {
					fmt.Fprintln(w, "received", v)
					values++
					return
				}
				turn.Enable(i, false) // as setting the channel to nil
				open--
			}
		}
		turn = handoff.NewSelector(a.OnRecv(on(0)), b.OnRecv(on(1)), c.OnRecv(on(2)))
		for open > 0 {
			turn.Select(ctx)
		}
		fmt.Fprintln(w, "all closed, values:", values)
	})
	c.Send(ctx, 9)
	c.Close()
	a.Send(ctx, 11)
	a.Close()
	b.Send(ctx, 10)
	b.Close()
	receiver.Wait()
}

// Listed waits on channels whose number is known only when the program runs: the
// cases are a list. A closed one is set to the zero Receiver, the nil of this
// package, whose case is never chosen.
//
// The article only names what the language has for it, reflect.Select.
func Listed(w io.Writer) {
	ctx := context.Background()
	sources := make([]handoff.Receiver[int], 4)
	for i := range sources {
		c := handoff.Make[int](2)
		c.SendAll(ctx, []int{i, 10 * i})
		c.Close()
		sources[i] = c.Receiver
	}
	sum, open := 0, len(sources)
	for open > 0 {
		var cases []handoff.Case
		for i := range sources {
			cases = append(cases, sources[i].OnRecv(func(v int, ok bool) {
				sum += v
				if !ok {
					sources[i] = handoff.Receiver[int]{}
					open--
				}
			}))
		}
		handoff.Select(ctx, cases...)
	}
	fmt.Fprintln(w, len(sources), "channels add up to", sum)
}
