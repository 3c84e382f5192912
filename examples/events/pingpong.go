package events

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/handoff-go/handoff"
)

// PingPong makes two goroutines take turns.
//
// As printed, B hands over after its last turn too, to a partner that has ended:
// that last handoff waits for ever, and main waits for neither. Here every handoff
// has its partner: A waits for the answer to each of its turns, and its close ends
// B.
func PingPong(w io.Writer) {
	ctx := context.Background()
	toA, toB := handoff.Make[struct{}](0), handoff.Make[struct{}](0)
	var both sync.WaitGroup
	both.Go(func() {
		defer toB.Close()
		for turn := range 3 {
			fmt.Fprintln(w, "A", turn)
			toB.Send(ctx, struct{}{})
			toA.Recv(ctx)
		}
	})
	both.Go(func() {
		turn := 0
		for range toB.All(ctx) {
			fmt.Fprintln(w, "B", turn)
			turn++
			toA.Send(ctx, struct{}{})
		}
	})
	both.Wait()
}
