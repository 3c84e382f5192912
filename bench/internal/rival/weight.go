package rival

import (
	"context"
	"math"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// block is a value of some weight. Types so different share no code, so that a
// type parameter slows nothing down here.
type block interface {
	[1]uint64 | [8]uint64 | [33]uint64 | [128]uint64 | [512]uint64 | [2048]uint64 |
		[8191]uint64 | [8192]uint64 | [32768]uint64 | [131072]uint64
}

// weight is one size, and the ways to send a value of it.
type weight struct {
	name  string
	bytes int

	copyOurs, copyGo, pointerOurs, pointerGo measure.Body // copyGo is nil where the language refuses
}

// sizes run from a word to a mebibyte. The language's channels carry nothing
// from 64 KiB on; the seventh is the last of whole words below.
var sizes = []weight{
	small[[1]uint64]("8 B"), small[[8]uint64]("64 B"), small[[33]uint64]("264 B"),
	small[[128]uint64]("1 KiB"), small[[512]uint64]("4 KiB"), small[[2048]uint64]("16 KiB"),
	small[[8191]uint64]("64 KiB less 8 B"),
	large[[8192]uint64]("64 KiB"), large[[32768]uint64]("256 KiB"), large[[131072]uint64]("1 MiB"),
}

func large[T block](name string) weight {
	var v T
	return weight{name: name, bytes: 8 * len(v), copyOurs: copyOurs[T], pointerOurs: pointerOurs[T], pointerGo: pointerGo[T]}
}

func small[T interface {
	[1]uint64 | [8]uint64 | [33]uint64 | [128]uint64 | [512]uint64 | [2048]uint64 | [8191]uint64
}](name string) weight {
	var v T
	return weight{name: name, bytes: 8 * len(v), copyOurs: copyOurs[T], copyGo: copyGo[T], pointerOurs: pointerOurs[T], pointerGo: pointerGo[T]}
}

var weightNotes = []string{
	"pointer against copy: the sender goes on to change its value, so the pointer is to memory made for it, into which the value is copied.",
	"pointer against copy, at 64 KiB and above: " + tooLarge + ", so the base is the pointer, and only ours carries the value itself. Above 128 KiB the compiler keeps no variable on a stack, so that a copy through ours is allocated too, more than once.",
	"CPU time of the collector: of all cores, by its own account, and with one whole cycle after each sample, which is all that the copies without garbage show.",
}

// The names of the contenders, beside ours, which sends copies.
const (
	byPointer   = "our pointer"
	byGoPointer = "go pointer"
)

// tooLarge is why there is no copy through Go's channel.
const tooLarge = "the language's channels carry no elements of 64 KiB and more"

// rivals puts Go's copy first, as the base. Where there is none the base is the
// pointer through Go's channel.
func (w *weight) rivals() []measure.Contender {
	values := measure.Contender{Name: native, Body: w.copyGo}
	pointer := measure.Contender{Name: byGoPointer, Body: w.pointerGo}
	our := measure.Contender{Name: byPointer, Body: w.pointerOurs}
	if w.copyGo != nil {
		return []measure.Contender{values, our, pointer}
	}
	values.Why = tooLarge
	return []measure.Contender{pointer, our, values}
}

// The groups of the shapes below.
const (
	timeGroup = "pointer against copy, 1→1 cap 8"
	gcGroup   = "pointer against copy, CPU time of the collector in ns"
)

// weights is the time of a value of each size, as a copy and as a pointer to a
// fresh one.
func weights() []*measure.Shape {
	var all []*measure.Shape
	for _, w := range sizes {
		all = append(all, &measure.Shape{Group: timeGroup, Name: w.name, Ours: w.copyOurs, Rivals: w.rivals(), Long: true})
	}
	return all
}

// collections is what the garbage collector takes for the same.
func collections() []*measure.Shape {
	var all []*measure.Shape
	for _, w := range sizes {
		s := &measure.Shape{Group: gcGroup, Name: w.name, Ours: collecting(w.copyOurs), Long: true}
		for _, r := range w.rivals() {
			if r.Body != nil {
				r.Body = collecting(r.Body)
			}
			s.Rivals = append(s.Rivals, r)
		}
		s.N = min(200_000, 256<<20/w.bytes)
		s.Rounds = 5
		all = append(all, s)
	}
	return all
}

// collecting measures what a body's garbage costs: the CPU time, of all cores,
// that the collector takes until that garbage is gone. The runtime adds it up
// when a cycle ends, so there is one before and one after; the last one counts,
// for copies too.
func collecting(b measure.Body) measure.Body {
	return func() func(int) measure.Sample {
		work := b()
		return func(n int) measure.Sample {
			runtime.GC()
			before := collectorTime()
			s := work(n)
			runtime.GC()
			s.Elapsed = collectorTime() - before
			return s
		}
	}
}

func collectorTime() time.Duration {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(s)
	return time.Duration(math.Round(s[0].Value.Float64() * float64(time.Second)))
}

// depth is how many values may wait, and thereby how much memory the slots take.
const depth = 8

// The sender has one value that it goes on to change, so what it sends must be
// its own: a copy in the slot, or one in memory made for it. The first and the
// last word are written and read.

// pair runs send and recv, each n times; recv returns the sum of the first and
// last words.
func pair(n int, send func(n int), recv func(n int) uint64) measure.Sample {
	var sum uint64
	s := measure.Together(func() { send(n) }, func() { sum = recv(n) })
	want := uint64(n) * uint64(n-1) // 0 to n-1, twice
	check(sum == want, "the values received add up to %d and not to %d", sum, want)
	return s
}

// sent makes the i-th value of v. A value of one word has but one end.
func sent[T block](v *T, i int) {
	(*v)[0] = uint64(i)
	(*v)[len(*v)-1] = uint64(i)
}

func received[T block](v *T) uint64 { return (*v)[0] + (*v)[len(*v)-1] }

func copyOurs[T block]() func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[T](depth)
	var out, in T // here, as what is large and in a loop is made anew in each turn
	return func(n int) measure.Sample {
		return pair(n, func(n int) {
			for i := range n {
				sent(&out, i)
				must(ch.Send(ctx, out))
			}
		}, func(n int) (sum uint64) {
			for range n {
				var err error
				in, err = ch.Recv(ctx)
				must(err)
				sum += received(&in)
			}
			return sum
		})
	}
}

func copyGo[T block]() func(int) measure.Sample {
	ch := make(chan T, depth)
	var out, in T
	return func(n int) measure.Sample {
		return pair(n, func(n int) {
			for i := range n {
				sent(&out, i)
				ch <- out
			}
		}, func(n int) (sum uint64) {
			for range n {
				in = <-ch
				sum += received(&in)
			}
			return sum
		})
	}
}

func pointerOurs[T block]() func(int) measure.Sample {
	ctx, ch := context.Background(), handoff.Make[*T](depth)
	var out T
	return func(n int) measure.Sample {
		return pair(n, func(n int) {
			for i := range n {
				sent(&out, i)
				p := new(T)
				*p = out
				must(ch.Send(ctx, p))
			}
		}, func(n int) (sum uint64) {
			for range n {
				p, err := ch.Recv(ctx)
				must(err)
				sum += received(p)
			}
			return sum
		})
	}
}

func pointerGo[T block]() func(int) measure.Sample {
	ch := make(chan *T, depth)
	var out T
	return func(n int) measure.Sample {
		return pair(n, func(n int) {
			for i := range n {
				sent(&out, i)
				p := new(T)
				*p = out
				ch <- p
			}
		}, func(n int) (sum uint64) {
			for range n {
				sum += received(<-ch)
			}
			return sum
		})
	}
}
