package drivertest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

var custodyLaws = []Law{
	{
		Name:   "L1/every-value-exactly-once",
		Says:   "every value whose send succeeded is received exactly once, whatever mix of operations carries it",
		Source: "L1; research 1; TestChan, TestSelectStress",
		Storm:  true,
		Run:    lawExactlyOnce,
	}, {
		Name:   "L1/every-value-exactly-once-in-selects",
		Says:   "every value whose send succeeded is received exactly once when selects on both sides carry it",
		Source: "L1, L6; research 1, 21; TestSelectStress",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawSelectStress,
	}, {
		Name:   "L1/many-consumers",
		Says:   "a value handed to a pool of workers is worked on once: count and sum are exact",
		Source: "L1; TestMultiConsumer",
		Storm:  true,
		Run:    lawManyConsumers,
	}, {
		Name:   "L1/an-error-means-the-sender-still-has-it",
		Says:   "a value whose send returned an error is never received, and one whose send returned nil always is, while contexts end at random",
		Source: "L1, L8; research 14, 41, 46; pitfalls 2, 6",
		Needs:  []Feature{FeatureCancel},
		Storm:  true,
		Run:    lawErrorKeepsValue,
	}, {
		Name:   "L1/custody-through-holds",
		Says:   "every value is confirmed exactly once while its takers return some of what they hold",
		Source: "L1, L13; research 1",
		Needs:  []Feature{FeatureHold},
		Storm:  true,
		Run:    lawCustodyThroughHolds,
	},
}

// tally counts how often each of n values was received.
type tally []atomic.Int32

func (t tally) add(e *Env, v int) {
	if v < 0 || v >= len(t) {
		e.Errorf("received %d, which nobody sent", v)
		return
	}
	if n := t[v].Add(1); n > 1 {
		e.Errorf("value %d received %d times", v, n)
	}
}

func (t tally) complete(e *Env) {
	e.Helper()
	lost := 0
	for v := range t {
		if t[v].Load() == 0 {
			lost++
			if lost <= 5 {
				e.Errorf("value %d was sent and never received", v)
			}
		}
	}
	if lost > 5 {
		e.Errorf("%d values lost in all", lost)
	}
}

func lawExactlyOnce(e *Env) {
	e.each([]int{0, 1, 2, 7, 128}, func(slots int) {
		const side = 4
		perSender := e.Scale(3000)
		ch := e.Chan(slots)
		seen := make(tally, side*perSender)
		var senders, receivers sync.WaitGroup
		for s := range side {
			senders.Add(1)
			go func() {
				defer senders.Done()
				sendAllWays(e, ch, s, s*perSender, perSender)
			}()
			receivers.Add(1)
			go func() {
				defer receivers.Done()
				recvAllWays(e, ch, s, seen)
			}()
		}
		e.join(&senders)
		e.OK("Close", ch.Close())
		e.join(&receivers)
		seen.complete(e)
	})
}

// sendAllWays sends count values from first on, by a way that depends on who.
func sendAllWays(e *Env, ch Chan[int], who, first, count int) {
	for v := first; v < first+count; v++ {
		var err error
		switch {
		case who == 1:
			for ok := false; !ok && err == nil && e.Ctx.Err() == nil; {
				if ok, err = ch.TrySend(v); !ok {
					runtime.Gosched()
				}
			}
		case who == 2 && e.H.Has[FeatureBatch]:
			vs := []int{v}
			for len(vs) < 5 && v+1 < first+count {
				v++
				vs = append(vs, v)
			}
			_, err = ch.SendAll(e.Ctx, vs)
		default:
			err = ch.Send(e.Ctx, v)
		}
		if err != nil {
			e.Errorf("send of %d: %v", v, err)
			return
		}
	}
}

// recvAllWays receives until the channel is closed, by a way that depends on who.
func recvAllWays(e *Env, ch Chan[int], who int, seen tally) {
	buf := make([]int, 3)
	for {
		var v int
		var err error
		ok := true
		switch {
		case who == 1:
			if v, ok, err = ch.TryRecv(); !ok && err == nil {
				runtime.Gosched()
			}
		case who == 2 && e.H.Has[FeatureBatch]:
			var n int
			n, err = ch.RecvInto(e.Ctx, buf)
			for _, v := range buf[:n] {
				seen.add(e, v)
			}
			ok = false
		default:
			v, err = ch.Recv(e.Ctx)
		}
		switch {
		case errors.Is(err, driver.ErrClosed):
			return
		case err != nil || e.Ctx.Err() != nil:
			e.Errorf("receive: %v", err)
			return
		case ok:
			seen.add(e, v)
		}
	}
}

// lawSelectStress: over four channels of mixed capacity, two plain senders, two
// plain receivers, two selecting senders and two selecting receivers.
func lawSelectStress(e *Env) {
	const channels = 4
	perChannel := e.Scale(4000)
	chs := make([]Chan[int], channels)
	for i := range chs {
		slots := i % 3
		if slots == 0 && !e.H.Has[FeatureRendezvous] {
			slots = 5
		}
		chs[i] = e.Chan(slots)
	}
	seen := make(tally, 2*channels*perChannel)
	e.Together(4, func(who int) {
		switch who {
		case 0: // the first half of every channel's values by plain sends, in turn
			for n := range perChannel {
				for c, ch := range chs {
					if err := ch.Send(e.Ctx, c*perChannel+n); err != nil {
						e.Errorf("Send: %v", err)
						return
					}
				}
			}
		case 1:
			selectSends(e, chs, channels*perChannel, perChannel)
		case 2:
			for range perChannel {
				for _, ch := range chs {
					v, err := ch.Recv(e.Ctx)
					if err != nil {
						e.Errorf("Recv: %v", err)
						return
					}
					seen.add(e, v)
				}
			}
		case 3:
			selectReceives(e, chs, perChannel, seen)
		}
	})
	seen.complete(e)
}

// selectSends sends per values on each channel by selecting among those left.
func selectSends(e *Env, chs []Chan[int], base, per int) {
	left := make([]int, len(chs))
	for i := range left {
		left[i] = per
	}
	for range per * len(chs) {
		var cases []Case
		var on []int
		for c, ch := range chs {
			if left[c] > 0 {
				cases = append(cases, ch.OnSend(base+c*per+per-left[c], nil))
				on = append(on, c)
			}
		}
		i, err := e.Select(e.Ctx, cases...)
		if err != nil {
			e.Errorf("select of sends: %v", err)
			return
		}
		left[on[i]]--
	}
}

// selectReceives receives per values from each channel by selecting.
func selectReceives(e *Env, chs []Chan[int], per int, seen tally) {
	left := make([]int, len(chs))
	for i := range left {
		left[i] = per
	}
	for range per * len(chs) {
		var cases []Case
		var on []int
		for c, ch := range chs {
			if left[c] > 0 {
				cases = append(cases, ch.OnRecv(func(v int, ok bool) {
					if !ok {
						e.Errorf("closed seen on an open channel")
					}
					seen.add(e, v)
				}))
				on = append(on, c)
			}
		}
		i, err := e.Select(e.Ctx, cases...)
		if err != nil {
			e.Errorf("select of receives: %v", err)
			return
		}
		left[on[i]]--
	}
}

func lawManyConsumers(e *Env) {
	const workers = 23
	items := e.Scale(271828)
	slots := 1
	if e.H.Has[FeatureRendezvous] {
		slots = 0
	}
	work, results := e.Chan(7), e.Chan(slots)
	var pool sync.WaitGroup
	for range workers {
		pool.Add(1)
		go func() {
			defer pool.Done()
			for v, err := range work.All(e.Ctx) {
				if err != nil {
					e.Errorf("work: %v", err)
					return
				}
				if v%67 == 0 {
					runtime.Gosched()
				}
				if err := results.Send(e.Ctx, v); err != nil {
					e.Errorf("result: %v", err)
					return
				}
			}
		}()
	}
	want := 0
	for i := range items {
		want += i % 1009
	}
	go func() {
		for i := range items {
			if work.Send(e.Ctx, i%1009) != nil {
				return
			}
		}
		work.Close()
		pool.Wait()
		results.Close()
	}()
	n, sum := 0, 0
	for v, err := range results.All(e.Ctx) {
		e.OK("result", err)
		n++
		sum += v
	}
	if n != items || sum != want {
		e.Fatalf("%d results with sum %d, want %d with sum %d", n, sum, items, want)
	}
}

func lawErrorKeepsValue(e *Env) {
	e.each([]int{0, 1, 3}, func(slots int) {
		const side = 4
		per := e.Scale(3000)
		ch := e.Chan(slots)
		seen := make(tally, side*per)
		kept := make([]atomic.Bool, side*per)
		var senders, receivers sync.WaitGroup
		for s := range side {
			rnd := e.NewRand()
			senders.Add(1)
			go func() {
				defer senders.Done()
				for v := s * per; v < (s+1)*per; v++ {
					ctx, cancel := randomlyEnding(e.Ctx, rnd.IntN(4))
					kept[v].Store(ch.Send(ctx, v) != nil)
					cancel()
				}
			}()
			receivers.Add(1)
			go func() {
				defer receivers.Done()
				for i := 0; ; i++ {
					ctx, cancel := randomlyEnding(e.Ctx, i%4)
					v, err := ch.Recv(ctx)
					cancel()
					if errors.Is(err, driver.ErrClosed) || e.Ctx.Err() != nil {
						return
					}
					if err == nil {
						seen.add(e, v)
					}
				}
			}()
		}
		e.join(&senders)
		e.OK("Close", ch.Close())
		e.join(&receivers)
		for v := range kept {
			if got := seen[v].Load(); kept[v].Load() && got != 0 {
				e.Fatalf("send of %d returned an error, and the value was received", v)
			} else if !kept[v].Load() && got != 1 {
				e.Fatalf("send of %d returned nil, and the value was received %d times", v, got)
			}
		}
	})
}

// randomlyEnding returns a context that ends never, soon, or at the same moment
// as everything else happens.
func randomlyEnding(parent context.Context, how int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	switch how {
	case 0:
	case 1:
		go cancel()
	default:
		go func() {
			for range how * 3 {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	return ctx, cancel
}

func lawCustodyThroughHolds(e *Env) {
	e.each([]int{0, 1, 3, 16}, func(slots int) {
		const side = 3
		per := e.Scale(2000)
		ch := e.Chan(slots)
		seen := make(tally, side*per)
		var senders, receivers sync.WaitGroup
		for s := range side {
			senders.Add(1)
			go func() {
				defer senders.Done()
				for v := s * per; v < (s+1)*per; v++ {
					if err := ch.Send(e.Ctx, v); err != nil {
						e.Errorf("Send(%d): %v", v, err)
						return
					}
				}
			}()
			rnd := e.NewRand()
			receivers.Add(1)
			go func() {
				defer receivers.Done()
				for {
					d, err := ch.Take(e.Ctx)
					if err != nil {
						if !errors.Is(err, driver.ErrClosed) {
							e.Errorf("Take: %v", err)
						}
						return
					}
					settle := d.Done
					if rnd.IntN(3) == 0 {
						settle = d.Return
					} else {
						seen.add(e, d.Value)
					}
					if err := settle(); err != nil {
						e.Errorf("settling %d: %v", d.Value, err)
						return
					}
				}
			}()
		}
		e.join(&senders)
		e.OK("Close", ch.Close())
		e.join(&receivers)
		seen.complete(e)
	})
}
