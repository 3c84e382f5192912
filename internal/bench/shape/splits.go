package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/split"
)

// lanes is how many channels a split one has.
const lanes = 4

// splits is the cures for a channel that is fought for: several instead of one,
// and many values at once. An operation is one value from any sender to any
// receiver.
func splits() []*measure.Shape {
	var all []*measure.Shape
	for _, crowd := range []int{8, 100} {
		for _, slots := range []int{0, 128} {
			name := fmt.Sprintf("%d→%d, %d slots in all", crowd, crowd, slots)
			s := against("one channel, or several", name, 0, splitOurs(crowd, slots, readAll), crowdGo(crowd, crowd, slots))
			s.NoAllocs = false
			s.Rivals = append(s.Rivals,
				measure.Contender{Name: "ours, a lane for each receiver", Body: splitOurs(crowd, slots, readOne)},
				measure.Contender{Name: "our one channel", Body: crowdOurs(crowd, crowd, slots)},
				measure.Contender{Name: "our one, batches of 64", Body: crowdBatches(crowd, slots)})
			all = append(all, s)
		}
	}
	return all
}

// A receiver of a split channel reads all lanes, or one of them.
type reading func(ch split.Chan[int], i int) func(context.Context) (int, error)

func readAll(ch split.Chan[int], _ int) func(context.Context) (int, error) { return ch.Reader().Recv }

func readOne(ch split.Chan[int], i int) func(context.Context) (int, error) {
	return ch.Lanes()[i%lanes].Recv
}

// splitOurs is a channel of four lanes; every value has a key of its own, so each
// lane gets a quarter.
func splitOurs(crowd, slots int, read reading) measure.Body {
	return func() func(int) measure.Sample {
		ctx := context.Background()
		ch := split.Make(lanes, slots/lanes, func(v int) uint64 { return uint64(v) })
		return func(n int) measure.Sample {
			var workers []func()
			for i := range crowd {
				workers = append(workers, func() {
					for v := range measure.Share(n, crowd, i) {
						must(ch.Send(ctx, v))
					}
				})
			}
			left := newCountdown(n)
			for i := range crowd {
				recv := read(ch, i)
				workers = append(workers, func() {
					// Who receives how many is up to the lanes, so the last value ends
					// it for all.
					for {
						if _, err := recv(left.ctx); err != nil {
							return
						}
						left.one()
					}
				})
			}
			return measure.Together(workers...)
		}
	}
}

func crowdBatches(crowd, slots int) measure.Body {
	return func() func(int) measure.Sample {
		ctx, ch := context.Background(), handoff.Make[int](slots)
		return func(n int) measure.Sample {
			var workers []func()
			for i := range crowd {
				workers = append(workers, func() {
					out := make([]int, batch)
					for left := measure.Share(n, crowd, i); left > 0; {
						sent, err := ch.SendAll(ctx, out[:min(left, batch)])
						must(err)
						left -= sent
					}
				})
			}
			left := newCountdown(n)
			for range crowd {
				workers = append(workers, func() {
					in := make([]int, batch)
					for {
						got, err := ch.RecvInto(left.ctx, in)
						if err != nil {
							return
						}
						left.some(got)
					}
				})
			}
			return measure.Together(workers...)
		}
	}
}
