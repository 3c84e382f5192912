package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// lives is a channel that is made, used for one value and dropped. The garbage
// is collected within the time.
func lives() []*measure.Shape {
	var all []*measure.Shape
	for _, k := range []int{1, 128} {
		s := against("make, use once, drop", fmt.Sprintf("cap %d", k), 1.5, lifeOurs(k), lifeGo(k))
		s.NoAllocs = false
		all = append(all, s)
	}
	return all
}

func lifeOurs(slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx := context.Background()
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					ch := handoff.Make[int](slots)
					must(ch.Send(ctx, i))
					_, err := ch.Recv(ctx)
					must(err)
				}
			})
		}
	}
}

func lifeGo(slots int) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			return measure.Alone(func() {
				for i := range n {
					ch := make(chan int, slots)
					ch <- i
					<-ch
				}
			})
		}
	}
}
