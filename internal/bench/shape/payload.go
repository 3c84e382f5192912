package shape

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// payloads is values of other sizes than one word. Each is written out: a type
// parameter would slow the language's own operations down.
func payloads() []*measure.Shape {
	const group = "send+receive of other values, one goroutine, cap 128"
	return claimed(claimPayload,
		against(group, "0 bytes", 1, aloneNothingOurs, aloneNothingGo),
		against(group, "8 bytes", 1, aloneOurs(128), aloneGo(128)),
		against(group, "64 bytes", 1, aloneLineOurs, aloneLineGo),
		against(group, "264 bytes", 1, aloneMessageOurs, aloneMessageGo),
		against(group, "a pointer", 1, alonePointerOurs, alonePointerGo),
	)
}

func aloneNothingOurs() func(int) measure.Sample {
	ctx, ch, v := context.Background(), handoff.Make[struct{}](128), struct{}{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				must(ch.Send(ctx, v))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func aloneNothingGo() func(int) measure.Sample {
	ch, v := make(chan struct{}, 128), struct{}{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				ch <- v
				<-ch
			}
		})
	}
}

func aloneLineOurs() func(int) measure.Sample {
	ctx, ch, v := context.Background(), handoff.Make[[64]byte](128), [64]byte{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				must(ch.Send(ctx, v))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func aloneLineGo() func(int) measure.Sample {
	ch, v := make(chan [64]byte, 128), [64]byte{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				ch <- v
				<-ch
			}
		})
	}
}

func aloneMessageOurs() func(int) measure.Sample {
	ctx, ch, v := context.Background(), handoff.Make[[264]byte](128), [264]byte{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				must(ch.Send(ctx, v))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func aloneMessageGo() func(int) measure.Sample {
	ch, v := make(chan [264]byte, 128), [264]byte{}
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				ch <- v
				<-ch
			}
		})
	}
}

func alonePointerOurs() func(int) measure.Sample {
	ctx, ch, v := context.Background(), handoff.Make[*int](128), new(int)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				must(ch.Send(ctx, v))
				_, err := ch.Recv(ctx)
				must(err)
			}
		})
	}
}

func alonePointerGo() func(int) measure.Sample {
	ch, v := make(chan *int, 128), new(int)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for range n {
				ch <- v
				<-ch
			}
		})
	}
}
