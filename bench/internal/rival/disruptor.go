package rival

import (
	"io"
	"runtime"

	smarty "github.com/smarty/go-disruptor"
)

const disruptorLaws = "smarty/go-disruptor is a ring the caller owns; every receiver sees every value, so several cannot share the work; a receiver is a callback; capacities are powers of two; no rendezvous, no select, no context, nobody parks"

var disruptor = rival{
	name: "go-disruptor", laws: disruptorLaws + "; who waits yields", lacks: disruptorLacks,
	open: func(l load) queue { return ring(l, yieldAlways{}) },
}

var disruptorAsleep = rival{
	name: "go-disruptor, sleeping", laws: disruptorLaws + "; who waits sleeps, which is its default", lacks: disruptorLacks,
	open: func(l load) queue { return ring(l, nil) },
}

func disruptorLacks(_, receivers, slots int) string {
	return reasons(unless(slots > 0, noRendezvous), unless(receivers == 1, "every receiver sees every value: eight cannot share them"))
}

type yieldAlways struct{}

func (yieldAlways) Gate(int64)    { runtime.Gosched() }
func (yieldAlways) Idle(int64)    { runtime.Gosched() }
func (yieldAlways) Reserve(int64) { runtime.Gosched() }

// summing is the callback that receives.
type summing struct {
	slots []int
	left  int
	sum   int
	self  io.Closer
}

// Handle is called with values that are ready, always by the same goroutine.
func (s *summing) Handle(lower, upper int64) {
	mask := int64(len(s.slots) - 1)
	for at := lower; at <= upper; at++ {
		s.sum += s.slots[at&mask]
	}
	if s.left -= int(upper - lower + 1); s.left <= 0 {
		s.self.Close()
	}
}

// ring takes nil for the default strategy.
func ring(l load, strategy smarty.WaitStrategy) queue {
	to := &summing{slots: make([]int, l.slots), left: l.n}
	o := smarty.Options
	options := list(o.BufferCapacity(uint32(l.slots)), o.WriterCount(uint8(l.senders)), o.NewHandlerGroup(to))
	if strategy != nil {
		options = append(options, o.WaitStrategy(strategy))
	}
	d, err := smarty.New(options...)
	must(err)
	to.self = d
	mask := int64(l.slots - 1)
	return queue{
		send: func(from, n int) {
			for i := range n {
				at := d.Reserve(1)
				to.slots[at&mask] = from + i
				d.Commit(at, at)
			}
		},
		recv: func(int) int {
			d.Listen()
			return to.sum
		},
	}
}

// list makes a slice of a type that its package does not export.
func list[T any](all ...T) []T { return all }
