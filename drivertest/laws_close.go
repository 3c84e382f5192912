package drivertest

import (
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

var closeLaws = []Law{
	{
		Name:   "L5/close-drains",
		Says:   "values in slots stay receivable after Close, in order; then every receive, try and wait alike, gets ErrClosed for ever",
		Source: "L5; research 12; closedchan.go",
		Run:    lawCloseDrains,
	}, {
		Name:   "L5/close-wakes-receivers",
		Says:   "Close ends every blocked receive with ErrClosed",
		Source: "L5; research 13; TestChan",
		Run:    lawCloseWakes,
	}, {
		Name:   "L5/close-returns-blocked-values",
		Says:   "Close ends every blocked send with ErrClosed; its value stays with the sender and is never received",
		Source: "L5; research 14; closedchan.go",
		Run:    lawCloseBlockedSenders,
	}, {
		Name:   "L5/send-after-close",
		Says:   "a send on a closed channel is ErrClosed even when there is room, and the value is not delivered",
		Source: "L5; research 15; closedchan.go",
		Run: func(e *Env) {
			e.each([]int{0, 1, 3}, func(slots int) {
				ch := e.Chan(slots)
				e.OK("Close", ch.Close())
				e.Send(ch, 1).Failed(driver.ErrClosed)
				ok, err := ch.TrySend(2)
				if ok {
					e.Fatalf("TrySend on a closed channel succeeded")
				}
				e.Is("TrySend", err, driver.ErrClosed)
				e.Drained(ch)
			})
		},
	}, {
		Name:   "L5/second-close",
		Says:   "a second Close is ErrClosed and changes nothing",
		Source: "L5; research 16; closedchan.go",
		Run: func(e *Env) {
			ch := e.Chan(2)
			e.Sends(ch, 1)
			e.OK("Close", ch.Close())
			e.Is("second Close", ch.Close(), driver.ErrClosed)
			e.Receives(ch, 1)
			e.Is("third Close", ch.Close(), driver.ErrClosed)
			e.Drained(ch)
		},
	}, {
		Name:   "L5/len-after-close",
		Says:   "Len after Close counts what is still receivable",
		Source: "research 9; closedchan.go",
		Run: func(e *Env) {
			ch := e.Chan(3)
			e.Sends(ch, 1)
			e.Sends(ch, 2)
			e.OK("Close", ch.Close())
			for i, want := range []int{2, 1} {
				e.Len(ch, want)
				e.Receives(ch, i+1)
			}
			e.Len(ch, 0)
		},
	}, {
		Name:   "L5/closed-cases",
		Says:   "a receive case on a closed channel is always ready with ok false; a send case is ready too, and chosen returns its index with ErrClosed",
		Source: "L5; DESIGN 2; research 24; closedchan.go, chan/select3.go",
		Needs:  []Feature{FeatureSelect},
		Run:    lawClosedCases,
	}, {
		Name:   "L5/close-wakes-selects",
		Says:   "Close ends a select that waits on the channel: a receive case with ok false, a send case with ErrClosed",
		Source: "L5; research 13, 14, 31",
		Needs:  []Feature{FeatureSelect},
		Run:    lawCloseWakesSelects,
	}, {
		Name:   "L5/all-ends-at-close",
		Says:   "ranging over a channel yields every value, then ends at close without an error; a context that ends is yielded once",
		Source: "DESIGN 2",
		Run:    lawAll,
	}, {
		Name:   "L5/not-closed-while-a-value-could-return",
		Says:   "with slots, nobody sees closed while a taken value could come back: receivers wait, a try is not ready",
		Source: "L5; research 18",
		Needs:  []Feature{FeatureHold},
		Run:    lawNotClosedWhileHeld,
	}, {
		Name:   "L5/without-slots-closed-is-seen-at-once",
		Says:   "without slots a taken value cannot come back after Close, so receivers see closed at once",
		Source: "L5, L13",
		Needs:  []Feature{FeatureHold, FeatureRendezvous},
		Run: func(e *Env) {
			ch := e.Chan(0)
			s := e.Send(ch, 1)
			d := e.Holds(ch, 1, 1)
			r := e.Recv(ch)
			e.OK("Close", ch.Close())
			e.Settle()
			r.Failed(driver.ErrClosed)
			e.Drained(ch)
			s.Blocked()
			e.OK("Done", d.Done())
			s.Succeeded()
		},
	},
}

func lawCloseDrains(e *Env) {
	e.each([]int{0, 1, 2, 20}, func(slots int) {
		ch := e.Chan(slots)
		for i := range slots {
			e.Sends(ch, i)
		}
		e.OK("Close", ch.Close())
		for i := range slots {
			if i%2 == 0 {
				e.Receives(ch, i)
			} else {
				e.Recv(ch).Got(i)
			}
		}
		for range 3 {
			e.Drained(ch)
			e.Recv(ch).Failed(driver.ErrClosed)
		}
	})
}

func lawCloseWakes(e *Env) {
	e.each([]int{0, 1, 5}, func(slots int) {
		ch := e.Chan(slots)
		var rs []*Op
		for range 10 {
			rs = append(rs, e.Recv(ch))
		}
		e.OK("Close", ch.Close())
		e.Settle()
		for _, r := range rs {
			r.Failed(driver.ErrClosed)
		}
	})
}

func lawCloseBlockedSenders(e *Env) {
	e.each([]int{0, 1, 5}, func(slots int) {
		ch := e.Chan(slots)
		ops := e.sendQueue(ch, slots, 6)
		e.OK("Close", ch.Close())
		e.Settle()
		for i, op := range ops {
			if i < slots {
				op.Succeeded()
				e.Receives(ch, i)
			} else {
				op.Failed(driver.ErrClosed)
			}
		}
		e.Drained(ch)
	})
}

func lawClosedCases(e *Env) {
	ch, open := e.Chan(1), e.Chan(1)
	e.Sends(ch, 5)
	e.OK("Close", ch.Close())
	v := 0
	e.Sel(recvArm(open, nil), recvArm(ch, &v)).Chose(1)
	if v != 5 {
		e.Fatalf("the select got %d, want 5", v)
	}
	for range 3 {
		e.Sel(recvArm(open, nil), recvArm(ch, &v)).Chose(1)
		if v != closedValue {
			e.Fatalf("the select got %d from a drained channel", v)
		}
	}
	ran := false
	op := e.Start("Select", nil, func(op *Op) {
		op.N, op.Err = e.Select(e.Ctx, open.OnRecv(nil), ch.OnSend(1, func() { ran = true }))
	})
	op.Failed(driver.ErrClosed)
	if op.N != 1 || ran {
		e.Fatalf("a chosen send on a closed channel returned %d and ran its function: %v", op.N, ran)
	}
}

func lawCloseWakesSelects(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, quiet := e.Chan(slots), e.Chan(slots)
		v := 0
		r := e.Sel(recvArm(quiet, nil), recvArm(ch, &v))
		e.OK("Close", ch.Close())
		e.Settle()
		r.Chose(1)
		if v != closedValue {
			e.Fatalf("a select woken by close got value %d", v)
		}
		ch = e.Chan(slots)
		e.sendQueue(ch, slots, 0)
		s := e.Sel(recvArm(quiet, nil), sendArm(ch, 50))
		s.Blocked()
		e.OK("Close", ch.Close())
		e.Settle()
		if s.Failed(driver.ErrClosed); s.N != 1 {
			e.Fatalf("a send case on a channel that was closed returned index %d", s.N)
		}
		for i := range slots {
			e.Receives(ch, i)
		}
		e.Drained(ch)
	})
}

func lawAll(e *Env) {
	ch := e.Chan(3)
	for i := range 3 {
		e.Sends(ch, i)
	}
	e.OK("Close", ch.Close())
	n := 0
	for v, err := range ch.All(e.Ctx) {
		if e.OK("All", err); v != n {
			e.Fatalf("All yielded %d, want %d", v, n)
		}
		n++
	}
	if n != 3 {
		e.Fatalf("All ended after %d values of 3", n)
	}
	open := e.Chan(3)
	e.Sends(open, 1)
	e.Sends(open, 2)
	for v, err := range open.All(e.Ctx) { // leaving consumes nothing more
		if e.OK("All", err); v != 1 {
			e.Fatalf("All yielded %d, want 1", v)
		}
		break
	}
	e.Receives(open, 2)
	if !e.H.Has[FeatureCancel] {
		return
	}
	ctx, cancel := e.ending()
	cancel()
	yields := 0
	for _, err := range open.All(ctx) {
		e.Is("All", err, ctx.Err())
		yields++
	}
	if yields != 1 {
		e.Fatalf("All yielded the end of its context %d times", yields)
	}
}

func lawNotClosedWhileHeld(e *Env) {
	for _, slots := range []int{1, 2} {
		ch := e.Chan(slots)
		e.Sends(ch, 1)
		d := e.Holds(ch, 1, 1)
		e.OK("Close", ch.Close())
		r := e.Recv(ch)
		r.Blocked()
		e.Empty(ch)
		e.OK("Return", d.Return())
		e.Settle()
		r.Got(1)
		e.Drained(ch)

		ch = e.Chan(slots)
		e.Sends(ch, 2)
		r1 := e.Take(ch).Got(2)
		r = e.Recv(ch)
		e.OK("Close", ch.Close())
		e.Settle()
		r.Blocked()
		e.OK("Done", r1.D.Done())
		e.Settle()
		r.Failed(driver.ErrClosed)
	}
}

var closeRaceLaws = []Law{
	{
		Name:   "L5/never-closed-before-the-last-value",
		Says:   "a value whose send returned nil before Close is received by somebody: closed is never seen first",
		Source: "L5; research 17, 18; pitfall 5",
		Needs:  []Feature{FeatureCloseRace},
		Storm:  true,
		Run:    lawNeverClosedEarly,
	}, {
		Name:   "L5/one-closer-wins",
		Says:   "of many that close at once one succeeds, and nobody hangs, whatever sends and receives run meanwhile",
		Source: "L5; research 19; pitfall 6",
		Needs:  []Feature{FeatureCloseRace},
		Storm:  true,
		Run:    lawOneCloser,
	},
}

func lawNeverClosedEarly(e *Env) {
	e.each([]int{0, 1, 4}, func(slots int) {
		for range e.Scale(2000) {
			ch := e.Chan(slots)
			var sent, received atomic.Int32
			e.Together(5, func(who int) {
				switch who {
				case 0, 1:
					for i := range 3 {
						err := ch.Send(e.Ctx, i)
						if err == nil {
							sent.Add(1)
						} else if !errors.Is(err, driver.ErrClosed) {
							e.Errorf("Send: %v", err)
						}
					}
				case 2:
					ch.Send(e.Ctx, 9)
					sent.Add(1) // before the close, so it cannot have failed
					ch.Close()
				case 3:
					for ok, err := true, error(nil); err == nil; {
						if _, ok, err = ch.TryRecv(); ok {
							received.Add(1)
						} else {
							runtime.Gosched()
						}
						if e.Ctx.Err() != nil {
							return
						}
					}
				case 4:
					for range ch.All(e.Ctx) {
						received.Add(1)
					}
				}
			})
			if sent.Load() != received.Load() {
				e.Fatalf("%d sends succeeded, %d values were received before everybody saw closed", sent.Load(), received.Load())
			}
		}
	})
}

func lawOneCloser(e *Env) {
	e.each([]int{0, 2}, func(slots int) {
		for range e.Scale(2000) {
			ch := e.Chan(slots)
			var closed atomic.Int32
			e.Together(6, func(who int) {
				var err error
				switch {
				case who < 3:
					if err = ch.Close(); err == nil {
						closed.Add(1)
					}
				case who == 3:
					for err == nil {
						_, err = ch.Recv(e.Ctx)
					}
				default:
					for err == nil {
						err = ch.Send(e.Ctx, 1)
					}
				}
				if err != nil && !errors.Is(err, driver.ErrClosed) {
					e.Errorf("%v", err)
				}
			})
			if n := closed.Load(); n != 1 {
				e.Fatalf("%d of three Close succeeded", n)
			}
		}
	})
}
