package drivertest

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
)

var selectDefaultLaws = []Law{
	{
		Name:   "L6/default-table",
		Says:   "a default is taken when nothing is ready, and never when something is: a value, room, a waiting counterpart, a closed channel",
		Source: "L6; research 23; chan/nonblock.go",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Run:    lawDefaultTable,
	}, {
		Name:   "L6/default-of-two-fills",
		Says:   "a select with default over two channels of which one has just been filled and is emptied only after the other is filled never takes the default",
		Source: "L6; research 23; TestNonblockSelectRace",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Storm:  true,
		Run:    func(e *Env) { defaultRace(e, false) },
	}, {
		Name:   "L6/default-of-fill-and-close",
		Says:   "a select with default over a channel that is filled and one that is closed right after never takes the default",
		Source: "L6; research 23; TestNonblockSelectRace2",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Storm:  true,
		Run:    func(e *Env) { defaultRace(e, true) },
	}, {
		Name:   "L6/default-token-dance",
		Says:   "while a token goes from channel to channel, the next filled before the last is emptied, there is no moment without one: a default is never taken",
		Source: "L6; research 23; fact 6",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Storm:  true,
		Run:    func(e *Env) { tokenDance(e, false) },
	}, {
		Name:   "L6/default-hole-dance",
		Says:   "while a free slot goes from channel to channel, the next emptied before the last is filled, a select that offers to send never takes the default",
		Source: "L6; research 23; fact 6",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Storm:  true,
		Run:    func(e *Env) { tokenDance(e, true) },
	},
}

func lawDefaultTable(e *Env) {
	quiet := e.Chan(1)
	choose := func(want int, what string, cases ...Case) {
		e.Helper()
		i, err := e.Select(e.Ctx, cases...)
		if e.OK(what, err); i != want {
			e.Fatalf("%s: chose %d, want %d", what, i, want)
		}
		e.Settle()
	}
	def := func() Case { return e.H.Default(nil) }
	choose(0, "default alone", def())
	choose(1, "nil and default", e.H.Nil().OnRecv(nil), def())
	e.each([]int{0, 1, 2}, func(slots int) {
		ch := e.Chan(slots)
		choose(1, "receive from empty", ch.OnRecv(nil), def(), quiet.OnRecv(nil))
		r := e.Recv(ch)
		choose(0, "send to a waiting receiver", ch.OnSend(1, nil), def())
		r.Got(1)
		for i := range slots {
			choose(0, "send with room", ch.OnSend(i, nil), quiet.OnRecv(nil), def())
		}
		choose(2, "send to full", quiet.OnRecv(nil), ch.OnSend(9, nil), def())
		s := e.Send(ch, slots)
		choose(1, "send to full behind a sender", ch.OnSend(9, nil), def())
		for i := range slots + 1 {
			v := -1
			choose(1, "receive what is there", def(), ch.OnRecv(func(x int, _ bool) { v = x }))
			if v != i {
				e.Fatalf("received %d, want %d", v, i)
			}
		}
		s.Succeeded()
		choose(0, "receive from empty again", def(), ch.OnRecv(nil))
		e.OK("Close", ch.Close())
		choose(1, "receive from closed", def(), ch.OnRecv(nil))
	})
}

// defaultRace: a goroutine fills a, then fills or closes b and empties a. Once a
// was filled there is always one of the two ready.
func defaultRace(e *Env, byClose bool) {
	for range e.Scale(20_000) {
		a, b := e.Chan(1), e.Chan(1)
		e.OK("Send", a.Send(e.Ctx, 1))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if byClose {
				b.Close()
			} else {
				b.TrySend(1)
			}
			a.TryRecv()
		}()
		i, err := e.Select(e.Ctx, a.OnRecv(nil), b.OnRecv(nil), e.H.Default(nil))
		<-done
		if err != nil || i == 2 {
			e.Fatalf("Select = %d, %v, and one of its cases was always ready", i, err)
		}
	}
}

// dance is a token (or a hole) that goes round among channels of one slot.
type dance struct {
	chs  []Chan[int]
	hole bool
}

// arrive makes channel i ready, leave makes it not ready; both may find that
// the other side of the law has done it.
func (d *dance) arrive(i int) {
	if d.hole {
		d.chs[i].TryRecv()
	} else {
		d.chs[i].TrySend(1)
	}
}

func (d *dance) leave(i int) {
	if d.hole {
		d.chs[i].TrySend(1)
	} else {
		d.chs[i].TryRecv()
	}
}

// reset makes channel 0 the only one that is ready.
func (d *dance) reset() {
	for i := range d.chs {
		if i == 0 {
			d.arrive(i)
		} else {
			d.leave(i)
		}
	}
}

// danceFor bounds a dance in time, a repeat less: where the processors are shared with others a
// round can take as long as a time slice.
const danceFor = 2 * time.Second

// tokenDance: the dancer moves the token as fast as it can; the watcher asks,
// once per dance, whether any channel is ready. A watcher that looks at the
// channels one after another sees them all not ready sooner or later, also when
// it looks twice.
func tokenDance(e *Env, hole bool) {
	alone := runtime.GOMAXPROCS(0) == 1
	for _, n := range []int{2, 3} {
		d := &dance{hole: hole}
		var cases []Case
		for range n {
			ch := e.Chan(1)
			d.chs = append(d.chs, ch)
			if hole {
				cases = append(cases, ch.OnSend(1, nil))
			} else {
				cases = append(cases, ch.OnRecv(nil))
			}
		}
		cases = append(cases, e.H.Default(nil))
		// phase counts the half dances: odd while the dancer dances.
		var phase, over atomic.Int64
		rounds, until := e.Scale(30_000), time.Now().Add(danceFor/time.Duration(min(max(e.share, 1), 4)))
		e.Together(2, func(who int) {
			if who == 0 {
				for round := 0; round < rounds && over.Load() == 0 && time.Now().Before(until); round++ {
					d.reset()
					mine := phase.Add(1)
					for i := 0; phase.Load() == mine && over.Load() == 0; i = (i + 1) % n {
						d.arrive((i + 1) % n)
						d.leave(i)
						if alone {
							runtime.Gosched() // else the watcher waits for preemption
						}
					}
				}
				over.Store(1)
				return
			}
			for turn := 0; over.Load() == 0; turn++ {
				if phase.Load()%2 == 0 {
					runtime.Gosched()
					continue
				}
				for range turn % 32 { // not always at the same step
					spin()
				}
				i, err := e.Select(e.Ctx, cases...)
				if e.H.Several && errors.Is(err, driver.ErrContended) {
					err, i = nil, -1 // it says that it does not know
				}
				if err != nil || i == n {
					e.Errorf("Select = %d, %v, and one of %d channels was always ready", i, err, n)
					over.Store(1)
				}
				phase.Add(1)
			}
		})
	}
}

//go:noinline
func spin() {}
