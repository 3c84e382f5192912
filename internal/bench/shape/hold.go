package shape

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// holds is Take and Done. The language has no such thing, so what they cost is
// shown beside our own Recv, and there is no goal.
func holds() []*measure.Shape {
	const group = "take and confirm, beside our Recv"
	beside := func(name string, take, recv measure.Body) *measure.Shape {
		return &measure.Shape{
			Group: group, Name: name, Ours: take, NoAllocs: true,
			Rivals: []measure.Contender{{Name: "our Recv", Body: recv}},
		}
	}
	return []*measure.Shape{
		beside("Send, Take, Done, one goroutine, cap 128", takeAlone(128), aloneOurs(128)),
		beside("1→1 cap 128", takePair(128), crowdOurs(1, 1, 128)),
		beside("1→1 cap 0", takePair(0), crowdOurs(1, 1, 0)),
	}
}

func takeAlone(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					must(ch.Send(ctx, i))
					takeOne(ctx, ch.Receiver)
				}
			})
		}
	}
}

func takePair(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				sendOurs(ch.Sender, n)
			}, func() {
				for range n {
					takeOne(ctx, ch.Receiver)
				}
			})
		}
	}
}

func takeOne(ctx context.Context, ch handoff.Receiver[int]) {
	d, err := ch.Take(ctx)
	must(err)
	must(d.Done())
}
