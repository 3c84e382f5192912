package drivertest

import (
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
)

var selectCallLaws = []Law{
	{
		Name:   "L6/function-runs-once-after-the-commit",
		Says:   "the chosen case's function runs once, on the caller's goroutine, after the commit and before Select returns; no other runs",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect},
		Run:    lawDoOnce,
	}, {
		Name:   "L6/function-runs-without-a-lock",
		Says:   "a case's function may use the very channel it was chosen on",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect},
		Run:    lawDoUnlocked,
	}, {
		Name:   "L6/function-does-not-run-on-error",
		Says:   "no function runs when the select returns an error",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run:    lawDoNotOnError,
	}, {
		Name:   "L6/panic-in-a-function-propagates",
		Says:   "a panic in a case's function reaches the caller of Select, and the channel stays usable",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect},
		Run:    lawDoPanics,
	}, {
		Name:   "L6/nil-function",
		Says:   "a case without a function takes effect all the same",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect, FeatureDefault},
		Run: func(e *Env) {
			ch := e.Chan(1)
			for want, c := range []Case{ch.OnSend(1, nil), ch.OnRecv(nil)} {
				e.Len(ch, want)
				_, err := e.Select(e.Ctx, c)
				e.OK("Select", err)
			}
			e.Len(ch, 0)
			_, err := e.Select(e.Ctx, ch.OnRecv(nil), e.H.Default(nil))
			e.OK("Select", err)
		},
	}, {
		Name:   "L6/a-case-is-reusable",
		Says:   "a case may stand in any number of selects, one after another and at once",
		Source: "DESIGN 2; crossbeam reuse",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawCaseReuse,
	}, {
		Name:   "L6/ended-context-never-starts-a-select",
		Says:   "a select whose context has already ended returns its error and has no effect, even when a case is ready",
		Source: "L8; research 41",
		Needs:  []Feature{FeatureSelect, FeatureCancel},
		Run: func(e *Env) {
			ch := e.Chan(2)
			e.Sends(ch, 1)
			ctx, cancel := e.ending()
			cancel()
			for range 20 {
				i, err := e.Select(ctx, ch.OnRecv(nil), ch.OnSend(2, nil))
				if e.Is("Select", err, ctx.Err()); i != -1 {
					e.Fatalf("a select that never started returned index %d", i)
				}
			}
			e.Receives(ch, 1)
			e.Empty(ch)
		},
	}, {
		Name:   "L6/nil-context",
		Says:   "a nil context is one that never ends, for selects and plain operations",
		Source: "DESIGN 2",
		Needs:  []Feature{FeatureSelect},
		Run: func(e *Env) {
			ch := e.Chan(1)
			e.OK("Send", ch.Send(nil, 1)) //nolint:staticcheck // the law is about nil
			_, err := e.Select(nil, ch.OnRecv(nil))
			e.OK("Select", err)
			op := e.Start("Select", []wait{{on: ch}}, func(op *Op) {
				op.N, op.Err = e.Select(nil, ch.OnRecv(func(v int, _ bool) { op.V = v }))
			})
			op.Blocked()
			e.Sends(ch, 2)
			op.Got(2)
		},
	},
}

// goroutine returns the name of the goroutine it runs on.
func goroutine() string {
	buf := make([]byte, 64)
	name, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), " [")
	return name
}

func lawDoOnce(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		a, b := e.Chan(slots), e.Chan(slots)
		ran, lost := 0, 0
		var in, on string
		returned := false
		op := e.Start("Select", []wait{{on: a, sends: false}, {on: b, sends: false}}, func(op *Op) {
			in = goroutine()
			op.N, op.Err = e.Select(e.Ctx,
				a.OnRecv(func(int, bool) { lost++ }),
				b.OnRecv(func(v int, ok bool) {
					if on = goroutine(); returned || v != 6 || !ok {
						e.Errorf("the function got %d, %v; after return: %v", v, ok, returned)
					}
					ran++
				}))
			returned = true
		})
		if ran != 0 {
			e.Fatalf("a function ran before its case was chosen")
		}
		e.Sends(b, 6)
		if op.Chose(1); ran != 1 || lost != 0 || in != on {
			e.Fatalf("ran %d times on %s (caller %s); the loser ran %d times", ran, on, in, lost)
		}
	})
}

func lawDoUnlocked(e *Env) {
	ch := e.Chan(2)
	e.Sends(ch, 1)
	e.Sends(ch, 2)
	i, err := e.Select(e.Ctx, ch.OnRecv(func(v int, _ bool) {
		e.Receives(ch, 2)
		e.Sends(ch, 3)
		if i, err := e.Select(e.Ctx, ch.OnSend(4, func() { e.Receives(ch, 3) })); i != 0 || err != nil {
			e.Errorf("a select within a select: %d, %v", i, err)
		}
		e.OK("Close", ch.Close())
	}))
	if e.OK("Select", err); i != 0 {
		e.Fatalf("chose %d", i)
	}
	e.Receives(ch, 4)
	e.Drained(ch)
}

func lawDoNotOnError(e *Env) {
	ch := e.Chan(1)
	ctx, cancel := e.ending()
	var ran atomic.Int32
	count := func(int, bool) { ran.Add(1) }
	op := e.Start("Select", []wait{{on: ch}}, func(op *Op) { op.N, op.Err = e.Select(ctx, ch.OnRecv(count)) })
	cancel()
	e.Settle()
	op.Failed(ctx.Err())
	e.OK("Close", ch.Close())
	_, err := e.Select(e.Ctx, ch.OnSend(1, func() { ran.Add(1) }))
	e.Is("Select", err, driver.ErrClosed)
	if ran.Load() != 0 {
		e.Fatalf("a function ran beside an error")
	}
}

func lawDoPanics(e *Env) {
	ch := e.Chan(1)
	for range 3 {
		func() {
			defer func() {
				if p := recover(); p != "as wanted" {
					e.Errorf("the panic that arrived: %v", p)
				}
			}()
			_, err := e.Select(e.Ctx, ch.OnSend(1, func() { panic("as wanted") }))
			e.Errorf("Select returned %v, not the panic", err)
		}()
		e.Receives(ch, 1) // the send had committed
		op := e.Recv(ch)
		e.Sends(ch, 2)
		op.Got(2)
	}
}

func lawCaseReuse(e *Env) {
	e.each([]int{0, 1}, func(slots int) {
		ch, quiet := e.Chan(slots), e.Chan(slots)
		var sum atomic.Int64
		send, recv := ch.OnSend(3, nil), ch.OnRecv(func(v int, _ bool) { sum.Add(int64(v)) })
		idle := quiet.OnRecv(nil)
		turns := e.Scale(3000)
		e.Together(6, func(who int) {
			c := send
			if who%2 == 1 {
				c = recv
			}
			for range turns {
				if _, err := e.Select(e.Ctx, idle, c); err != nil {
					e.Errorf("Select: %v", err)
					return
				}
			}
		})
		if want := int64(3 * 3 * turns); sum.Load() != want {
			e.Fatalf("received %d in all, want %d", sum.Load(), want)
		}
	})
}
