package drivertest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"
)

var historyLaws = []Law{
	{
		Name:   "L3/histories-are-linearizable",
		Says:   "what many goroutines saw of sends, receives, tries and a close could have been seen if all had happened one after another, each between its beginning and its end, on the obvious channel with its lines of waiters",
		Source: "issue 2 section 3; research 8; L2, L3, L4, L5",
		Needs:  []Feature{FeatureCloseRace},
		Storm:  true,
		Run:    func(e *Env) { histories(e, false, false) },
	}, {
		Name:   "L8/histories-with-cancels-are-linearizable",
		Says:   "histories stay linearizable when contexts end at random moments",
		Source: "issue 2 section 3; L8",
		Needs:  []Feature{FeatureCancel, FeatureCloseRace},
		Storm:  true,
		Run:    func(e *Env) { histories(e, true, false) },
	}, {
		Name:   "L13/histories-with-holds-are-linearizable",
		Says:   "histories stay linearizable when values are taken, confirmed and returned, and contexts end",
		Source: "issue 2 section 3; L13",
		Needs:  []Feature{FeatureCancel, FeatureCloseRace, FeatureHold},
		Storm:  true,
		Run:    func(e *Env) { histories(e, true, true) },
	},
}

// histories records many short histories at capacities 0, 1, 2 and n, and has
// each checked. Short ones, because the work of a checker grows with what
// overlaps; many, because that is what finds the rare moment.
func histories(e *Env, cancels, holds bool) {
	if e.check == nil {
		e.Skip("refused: no history checker was handed in (Options.Check)")
	}
	e.each([]int{0, 1, 2, 5}, func(slots int) {
		m := historyModel(slots)
		for range min(e.Scale(1200), 300) {
			r := &recorder{ch: e.Chan(slots)}
			r.run(e, cancels, holds)
			if err := e.check(m, r.history()); err != nil {
				e.Fatalf("capacity %d: %v", slots, err)
			}
			if e.Failed() {
				return
			}
		}
	})
}

const (
	histClients = 4
	histCalls   = 6
)

// run has some clients do random operations, and frees whoever is left waiting.
func (r *recorder) run(e *Env, cancels, holds bool) {
	ctx, end := e.ending()
	defer end()
	closing := e.Rand.IntN(3) == 0
	rands := make([]*rand.Rand, histClients)
	for i := range rands {
		rands[i] = e.NewRand()
	}
	var busy atomic.Int64
	busy.Store(histClients)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r.free(&busy)
		if cancels {
			end()
			return
		}
		r.whole(histClients, histIn{what: histClose}, func() (int, bool, error) { return 0, true, r.ch.Close() })
	}()
	e.Together(histClients, func(who int) {
		defer busy.Add(-1)
		for i := range histCalls {
			ctx := ctx
			if !cancels && rands[who].IntN(2) == 0 {
				ctx = e.Ctx // the close frees it
			}
			r.random(ctx, rands[who], who, who*histCalls+i, cancels, holds, closing)
		}
	})
	<-gone
}

// free returns when nobody is busy, or nobody gets any further.
func (r *recorder) free(busy *atomic.Int64) {
	for busy.Load() > 0 {
		before := r.clock.Load()
		time.Sleep(100 * time.Microsecond) // between two looks; when it ends is of no matter
		if before == r.clock.Load() {
			return
		}
	}
}

// random does one random operation.
func (r *recorder) random(ctx context.Context, rnd *rand.Rand, who, v int, cancels, holds, closing bool) {
	if cancels && rnd.IntN(3) == 0 {
		var end context.CancelFunc
		ctx, end = randomlyEnding(ctx, 1+rnd.IntN(4))
		defer end()
	}
	switch n := rnd.IntN(20); {
	case n < 6:
		r.blocking(ctx, who, histSend, v)
	case n < 10 || n < 14 && !holds:
		r.blocking(ctx, who, histRecv, 0)
	case n < 14:
		id, d, err := r.blocking(ctx, who, histTake, 0)
		if err != nil {
			return
		}
		if rnd.IntN(2) == 0 {
			runtime.Gosched()
		}
		if rnd.IntN(3) == 0 {
			r.whole(who, histIn{what: histReturn, takes: id}, func() (int, bool, error) {
				err := d.Return()
				return 0, true, err
			})
			d.Done() // an abandoned value is the holder's; nobody else sees it
			return
		}
		r.whole(who, histIn{what: histConfirm, takes: id}, func() (int, bool, error) { return 0, true, d.Done() })
	case n < 16 || n == 19 && !closing:
		r.whole(who, histIn{what: histTrySend, v: v}, func() (int, bool, error) {
			ok, err := r.ch.TrySend(v)
			return 0, ok, err
		})
	case n < 19:
		r.whole(who, histIn{what: histTryRecv}, func() (int, bool, error) { return r.ch.TryRecv() })
	default:
		r.whole(who, histIn{what: histClose}, func() (int, bool, error) { return 0, true, r.ch.Close() })
	}
}
