package netchan_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

// far opens a typed channel at a home.
func far(t testing.TB, at, name string, slots int) handoff.Chan[int] {
	t.Helper()
	ch, err := handoff.Open[int](t.Context(), urlOf(at, name), handoff.Slots(slots))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ch.Sender.Detach() })
	return ch
}

// chosen is what a select came to.
type chosen struct {
	i, v int
	err  error
}

// selecting runs a select on a goroutine of its own.
func selecting(ctx context.Context, cases func(v *int) []handoff.Case) <-chan chosen {
	done := make(chan chosen, 1)
	go func() {
		c := chosen{v: -1}
		c.i, c.err = handoff.Select(ctx, cases(&c.v)...)
		done <- c
	}()
	return done
}

func (c chosen) want(t *testing.T, i, v int) {
	t.Helper()
	if c.err != nil || c.i != i || c.v != v {
		t.Fatalf("chosen %d with %d, %v; want %d with %d", c.i, c.v, c.err, i, v)
	}
}

func into(v *int) func(int, bool) { return func(got int, _ bool) { *v = got } }

// soon is what done comes to within the patience of a test.
func soon[T any](t *testing.T, done <-chan T) T {
	t.Helper()
	select {
	case v := <-done:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestSelectOverTwoHomes(t *testing.T) {
	_, one := serve(t, hub.Options{})
	_, two := serve(t, hub.Options{})
	for _, slots := range []int{0, 1} {
		a, b := far(t, one, "a", slots), far(t, two, "b", slots)
		mine := handoff.Make[int](slots)
		native := make(chan int)
		receives := func(v *int) []handoff.Case {
			return []handoff.Case{a.OnRecv(into(v)), b.OnRecv(into(v)), mine.OnRecv(into(v)), handoff.OnNative(native, into(v))}
		}
		for round := range 20 {
			done := selecting(t.Context(), receives)
			switch round % 4 {
			case 0:
				a.Send(t.Context(), round)
			case 1:
				b.Send(t.Context(), round)
			case 2:
				mine.Send(t.Context(), round)
			default:
				native <- round
			}
			soon(t, done).want(t, round%4, round)
		}
		for round := range 20 {
			done := selecting(t.Context(), func(*int) []handoff.Case {
				return []handoff.Case{a.OnSend(round, nil), b.OnSend(round, nil), mine.OnSend(round, nil)}
			})
			from := []handoff.Chan[int]{a, b, mine}
			if slots > 0 {
				c := soon(t, done)
				if v, err := from[c.i].Recv(t.Context()); v != round || err != nil {
					t.Fatalf("case %d sent, and there came %d, %v", c.i, v, err)
				}
				continue
			}
			if v, err := from[round%3].Recv(t.Context()); v != round || err != nil {
				t.Fatalf("received %d, %v", v, err)
			}
			soon(t, done).want(t, round%3, -1)
		}
		a.Sender.Detach()
		b.Sender.Detach()
		break
	}
}

// Two selects that mirror each other meet exactly once in each turn.
func TestMirroredSelects(t *testing.T) {
	_, one := serve(t, hub.Options{})
	_, two := serve(t, hub.Options{})
	a, b := far(t, one, "a", 0), far(t, two, "b", 0)
	for round := range 200 {
		var v, w int
		left := selecting(t.Context(), func(*int) []handoff.Case {
			return []handoff.Case{a.OnSend(round, nil), b.OnRecv(into(&v))}
		})
		right := selecting(t.Context(), func(*int) []handoff.Case {
			return []handoff.Case{a.OnRecv(into(&w)), b.OnSend(round, nil)}
		})
		l, r := soon(t, left), soon(t, right)
		if l.err != nil || r.err != nil || l.i != r.i {
			t.Fatalf("round %d: %v and %v", round, l, r)
		}
		if got := []int{w, v}[l.i]; got != round {
			t.Fatalf("round %d: received %d", round, got)
		}
	}
}

func TestSelectOverTwoHomesIsCancelled(t *testing.T) {
	_, one := serve(t, hub.Options{})
	_, two := serve(t, hub.Options{})
	a, b := far(t, one, "a", 0), far(t, two, "b", 0)
	ctx, stop := context.WithCancel(t.Context())
	done := selecting(ctx, func(v *int) []handoff.Case {
		return []handoff.Case{a.OnSend(1, nil), b.OnRecv(into(v))}
	})
	for a.Sender.Stats().SendersWaiting == 0 {
	}
	stop()
	if c := soon(t, done); c.i != -1 || !errors.Is(c.err, context.Canceled) {
		t.Fatal(c)
	}
	for a.Sender.Stats().SendersWaiting+b.Sender.Stats().ReceiversWaiting > 0 {
	}
	i, err := handoff.Select(t.Context(), a.OnSend(1, nil), b.OnRecv(nil), handoff.Default(nil))
	if i != 2 || err != nil {
		t.Fatal(i, err)
	}
	i, err = handoff.Select(t.Context(), a.OnSend(1, nil), b.OnRecv(nil), handoff.After(time.Millisecond, nil))
	if i != 2 || err != nil {
		t.Fatal(i, err)
	}
}
