package rival

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// crowds are the numbers of senders and receivers.
var crowds = []struct{ senders, receivers int }{{1, 1}, {8, 1}, {1, 8}, {8, 8}}

// bounds are the rivals that have a capacity.
var bounds = []rival{golang, chann, channels, spsc, mpmc, lfq, disruptor, zenq}

// boundless are those that are never full.
var boundless = []rival{golang, channEndless, channelsEndless, chanx, umpsc}

// slows are those that need many times as long for a value as a channel.
var slows = []rival{golang, disruptorAsleep, lfqAsleep, goChannelFirm, goChannelLoose, mempubsub}

// How many values cross in a sample, and how often: none of the rivals shall
// need minutes for what a channel does in milliseconds. Each sample has a queue
// of its own.
const (
	manyValues = 100_000
	fewValues  = 2000
	fewRounds  = 5
)

// slowNote says what the table of slow rivals cannot say.
const slowNote = "queues that sleep and message routers: these samples are long for the rivals and very short for channels, so they show what a rival costs, and not how ours and Go's compare."

// bounded is the crowds at every capacity.
func bounded() []*measure.Shape {
	var all []*measure.Shape
	for _, c := range crowds {
		for _, k := range []int{0, 1, 128, 4096} {
			s := crowd("queues with a capacity", fmt.Sprintf("%d→%d cap %d", c.senders, c.receivers, k), load{senders: c.senders, receivers: c.receivers, slots: k}, bounds)
			// The cheapest and the hardest of them are all that fits a short run.
			s.N = manyValues
			s.Long = k != 128 || c.senders != c.receivers
			all = append(all, s)
		}
	}
	return all
}

// unbounded is the crowds without a capacity. Channels have one; theirs is large.
func unbounded() []*measure.Shape {
	return everyCrowd("queues without a bound, beside channels of 4096 slots", 4096, boundless, manyValues, 0)
}

// slow is the crowds for rivals that sleep, or route messages.
func slow() []*measure.Shape {
	return everyCrowd("queues that sleep and message routers, few values, cap 128", 128, slows, fewValues, fewRounds)
}

// everyCrowd is long: n values in a sample, and as many rounds as the plan says
// if rounds is 0.
func everyCrowd(group string, slots int, rivals []rival, n, rounds int) []*measure.Shape {
	var all []*measure.Shape
	for _, c := range crowds {
		s := crowd(group, fmt.Sprintf("%d→%d", c.senders, c.receivers), load{senders: c.senders, receivers: c.receivers, slots: slots}, rivals)
		s.N, s.Rounds, s.Long = n, rounds, true
		all = append(all, s)
	}
	return all
}

// crowd is ours beside rivals; an operation is one value from any sender to any
// receiver.
func crowd(group, name string, l load, rivals []rival) *measure.Shape {
	s := &measure.Shape{Group: group, Name: name, Ours: cross(ours, l)}
	for _, r := range rivals {
		c := measure.Contender{Name: r.name, Why: r.lacks(l.senders, l.receivers, l.slots)}
		if c.Why == "" {
			c.Body = cross(r, l)
		}
		s.Rivals = append(s.Rivals, c)
	}
	return s
}

// cross makes the queue anew for each sample, as some run goroutines that must
// end with it; that is outside of what is timed.
func cross(r rival, l load) measure.Body {
	return func() func(int) measure.Sample {
		return func(n int) measure.Sample {
			l := l
			l.n = n
			q := r.open(l)
			sample, sum := q.run(l)
			if q.end != nil {
				q.end()
			}
			check(sum == n*(n-1)/2, "%s, %+v: the values received add up to %d and not to %d", r.name, l, sum, n*(n-1)/2)
			return sample
		}
	}
}

// run sends and receives l.n values, and returns the sum of those received.
func (q queue) run(l load) (measure.Sample, int) {
	var workers []func()
	from := 0
	for i := range l.senders {
		begin, share := from, measure.Share(l.n, l.senders, i)
		workers = append(workers, func() { q.send(begin, share) })
		from += share
	}
	sums := make([]int, l.receivers)
	for i := range l.receivers {
		workers = append(workers, func() { sums[i] = q.recv(measure.Share(l.n, l.receivers, i)) })
	}
	sample := measure.Together(workers...)
	sum := 0
	for _, s := range sums {
		sum += s
	}
	return sample, sum
}

var ours = rival{name: "ours", lacks: anywhere, open: func(l load) queue {
	ctx, ch := context.Background(), handoff.Make[int](l.slots)
	return queue{
		send: func(from, n int) {
			for i := range n {
				must(ch.Send(ctx, from+i))
			}
		},
		recv: func(n int) (sum int) {
			for range n {
				v, err := ch.Recv(ctx)
				must(err)
				sum += v
			}
			return sum
		},
	}
}}

var golang = rival{name: native, laws: "the laws of the language", lacks: anywhere, open: func(l load) queue {
	ch := make(chan int, l.slots)
	return ends(ch, ch)
}}

// ends is a queue whose ends are channels of the language.
func ends(in chan<- int, out <-chan int) queue {
	return queue{
		send: func(from, n int) {
			for i := range n {
				in <- from + i
			}
		},
		recv: func(n int) (sum int) {
			for range n {
				sum += <-out
			}
			return sum
		},
	}
}
