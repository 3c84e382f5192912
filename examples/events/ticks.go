package events

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/handoff-go/handoff"
)

// Ticks works at every tick of a clock until it is told to exit.
//
// As printed, the worker waits for the exit after each tick: it ticks once and
// stands still, and when the exit comes it takes it for the end of a turn, ticks
// once more and waits for ever. Here tick and exit are two cases of one select,
// the exit ends the loop, and main waits until it has.
func Ticks(w io.Writer) {
	ctx := context.Background()
	exit, third := handoff.Make[struct{}](0), handoff.Make[struct{}](0)
	var worker sync.WaitGroup
	worker.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		ticks, more := 0, true
		onExit := exit.OnRecv(func(struct{}, bool) { more = false })
		onTick := handoff.OnNative(ticker.C, func(time.Time, bool) {
			if ticks++; ticks == 3 {
				third.Close()
			}
		})
		for more {
			handoff.SelectFirst(ctx, onExit, onTick)
		}
		fmt.Fprintln(w, "exit after three ticks or more:", ticks >= 3)
	})
	third.Recv(ctx)
	exit.Send(ctx, struct{}{})
	worker.Wait()
}
