package shape

import (
	"context"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// batch is how many values cross at once.
const batch = 64

// batches is SendAll and RecvInto; an operation is one value. Go's channel has
// nothing of the kind, so it sends and receives one by one.
func batches() []*measure.Shape {
	const group = "batches of 64, per value"
	return claimed(claimBatch,
		against(group, "SendAll+RecvInto, one goroutine, cap 128", 0.1, batchAlone, aloneGo(128)),
		against(group, "SendAll→RecvInto 1→1 cap 128", 0.1, batchPair(128), crowdGo(1, 1, 128)),
		against(group, "SendAll→RecvInto 1→1 cap 0", 0.1, batchPair(0), crowdGo(1, 1, 0)),
	)
}

func batchAlone() func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[int](2*batch)
	out, in := make([]int, batch), make([]int, batch)
	return func(n int) measure.Sample {
		return measure.Alone(func() {
			for n > 0 {
				sent, err := ch.SendAll(ctx, out[:min(n, batch)])
				must(err)
				_, err = ch.RecvInto(ctx, in)
				must(err)
				n -= sent
			}
		})
	}
}

func batchPair(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		out, in := make([]int, batch), make([]int, batch)
		return func(n int) measure.Sample {
			return measure.Together(func() {
				for left := n; left > 0; {
					sent, err := ch.SendAll(ctx, out[:min(left, batch)])
					must(err)
					left -= sent
				}
			}, func() {
				for left := n; left > 0; {
					got, err := ch.RecvInto(ctx, in)
					must(err)
					left -= got
				}
			})
		}
	}
}
