package patterns

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/handoff-go/handoff"
)

// Timeout gives a function a limit, and has it end at a point of its own choice
// when that is over.
//
// As printed, the caller goes away after the limit, and the function goes on: it
// is wrapped from outside and hears of nothing. Here it is told, looks for that
// between two steps, and the caller waits until it has ended.
func Timeout(w io.Writer) {
	fmt.Fprintln(w, "two steps in a minute:", within(time.Minute, 2))
	fmt.Fprintln(w, "a million in 10 ms:", within(10*time.Millisecond, 1_000_000))
}

func within(limit time.Duration, steps int) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := handoff.Make[string](1)
	go func() { ended.Send(context.Background(), work(ctx, steps)) }()
	var how string
	onEnd := ended.OnRecv(func(said string, ok bool) { how = said })
	if i, _ := handoff.Select(nil, onEnd, handoff.After(limit, cancel)); i == 0 {
		return how
	}
	handoff.Select(nil, onEnd)
	return "timed out, and the function " + how
}

// work does its steps, a millisecond each, and knows where it can be ended.
func work(ctx context.Context, steps int) string {
	for range steps {
		time.Sleep(time.Millisecond)
		if ctx.Err() != nil {
			return "ended after a whole step"
		}
	}
	return "finished"
}
