package drivertest

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// Native returns the harness of Go's own channels: the proof of the suite.
//
// The adapter adds nothing but form. A panic on a closed channel becomes
// ErrClosed, an operation with a context is a select with its Done channel, and
// a select over several cases is reflect.Select. What Go lacks it does not have.
func Native() Harness {
	h := Harness{
		Name:     "chan",
		InBubble: true, NeverEnding: true,
		Has: Features{}.With(FeatureRendezvous, FeatureCancel, FeatureSelect, FeatureDefault, FeatureSelector,
			FeatureNative, FeatureAfter, FeaturePayloads, FeatureAny, FeatureSharedHeap, FeatureNoAlloc, FeatureCollected),
		Int:          makeNative[int],
		Empty:        makeNative[struct{}],
		Text:         makeNative[string],
		Bytes:        makeNative[[]byte],
		Big:          makeNative[Big],
		Pointer:      makeNative[*Node],
		Any:          makeNative[any],
		Nil:          func() Chan[int] { return &nativeChan[int]{} },
		Select:       nativeSelect,
		NewSelector:  func(cases ...Case) Selector { return &nativeSelector{cases, make([]bool, len(cases))} },
		Default:      func(do func()) Case { return nativeCase{dir: reflect.SelectDefault, fire: ignoring(do)} },
		After:        nativeAfter,
		OnNative:     func(c <-chan int, do func(int, bool)) Case { return onNative(reflect.ValueOf(c), do) },
		OnNativeSend: nativeSendCase,
	}
	if !raceEnabled {
		h.Has[FeatureCloseRace] = true
	}
	return h
}

func makeNative[T any](_ *Env, s Spec, _ int) []Chan[T] {
	return []Chan[T]{&nativeChan[T]{c: make(chan T, s.Slots)}}
}

// nativeChan is a Go channel in the form of Chan.
type nativeChan[T any] struct {
	c      chan T
	closed atomic.Bool // to name the send case that panicked
}

func closedByPanic(err *error) {
	if p := recover(); p != nil {
		*err = driver.ErrClosed
	}
}

func (n *nativeChan[T]) Send(ctx context.Context, v T) (err error) {
	defer closedByPanic(&err)
	if ctx == nil || ctx.Done() == nil {
		n.c <- v
		return nil
	}
	if ctx.Err() != nil {
		return fault.Cancelled(ctx)
	}
	select {
	case n.c <- v:
		return nil
	case <-ctx.Done():
		return fault.Cancelled(ctx)
	}
}

func (n *nativeChan[T]) TrySend(v T) (ok bool, err error) {
	defer closedByPanic(&err)
	select {
	case n.c <- v:
		return true, nil
	default:
		return false, nil
	}
}

func (n *nativeChan[T]) Recv(ctx context.Context) (v T, err error) {
	ok := true
	if ctx == nil || ctx.Done() == nil {
		v, ok = <-n.c
	} else {
		if ctx.Err() != nil {
			return v, fault.Cancelled(ctx)
		}
		select {
		case v, ok = <-n.c:
		case <-ctx.Done():
			return v, fault.Cancelled(ctx)
		}
	}
	if !ok {
		return v, driver.ErrClosed
	}
	return v, nil
}

func (n *nativeChan[T]) TryRecv() (T, bool, error) {
	select {
	case v, ok := <-n.c:
		if !ok {
			return v, false, driver.ErrClosed
		}
		return v, true, nil
	default:
		var zero T
		return zero, false, nil
	}
}

func (n *nativeChan[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := n.Recv(ctx)
			if err == driver.ErrClosed || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func (n *nativeChan[T]) Close() (err error) {
	defer closedByPanic(&err)
	close(n.c)
	n.closed.Store(true)
	return nil
}

func (n *nativeChan[T]) Len() int { return len(n.c) }
func (n *nativeChan[T]) Cap() int { return cap(n.c) }

// Go's channels have none of these.
func (n *nativeChan[T]) SendAll(context.Context, []T) (int, error)                { panic(lacking) }
func (n *nativeChan[T]) RecvInto(context.Context, []T) (int, error)               { panic(lacking) }
func (n *nativeChan[T]) Take(context.Context) (Delivery[T], error)                { panic(lacking) }
func (n *nativeChan[T]) TakeInto(context.Context, []Delivery[T]) (int, error)     { panic(lacking) }
func (n *nativeChan[T]) TakeDone(context.Context) (T, error)                      { panic(lacking) }
func (n *nativeChan[T]) Deliveries(context.Context) iter.Seq2[Delivery[T], error] { panic(lacking) }
func (n *nativeChan[T]) Stop(string) error                                        { panic(lacking) }
func (n *nativeChan[T]) Detach() error                                            { panic(lacking) }
func (n *nativeChan[T]) Stats() Stats                                             { panic(lacking) }
func (n *nativeChan[T]) OnTake(func(Delivery[T], bool)) Case                      { panic(lacking) }
func (n *nativeChan[T]) OnStop(func(string)) Case                                 { panic(lacking) }

const lacking = "drivertest: the suite used what the subject does not declare"

// nativeCase is a case in the form reflect.Select wants.
type nativeCase struct {
	dir    reflect.SelectDir
	ch     reflect.Value
	send   func() reflect.Value
	closed func() bool // send cases of our own channels
	fire   func(v reflect.Value, ok bool)
}

func ignoring(do func()) func(reflect.Value, bool) {
	return func(reflect.Value, bool) {
		if do != nil {
			do()
		}
	}
}

func (n *nativeChan[T]) OnSend(v T, do func()) Case {
	return nativeCase{dir: reflect.SelectSend, ch: reflect.ValueOf(n.c), fire: ignoring(do), closed: n.closed.Load,
		send: func() reflect.Value { return reflect.ValueOf(&v).Elem() }}
}

func (n *nativeChan[T]) OnSendVar(p *T, do func()) Case {
	return nativeCase{dir: reflect.SelectSend, ch: reflect.ValueOf(n.c), fire: ignoring(do), closed: n.closed.Load,
		send: func() reflect.Value { return reflect.ValueOf(p).Elem() }}
}

func (n *nativeChan[T]) OnRecv(do func(T, bool)) Case { return onNative(reflect.ValueOf(n.c), do) }

func onNative[T any](ch reflect.Value, do func(T, bool)) Case {
	return nativeCase{dir: reflect.SelectRecv, ch: ch, fire: func(v reflect.Value, ok bool) {
		if do != nil {
			x, _ := v.Interface().(T)
			do(x, ok)
		}
	}}
}

func nativeSendCase(c chan<- int, v int, do func()) Case {
	return nativeCase{dir: reflect.SelectSend, ch: reflect.ValueOf(c), fire: ignoring(do), closed: func() bool { return true },
		send: func() reflect.Value { return reflect.ValueOf(v) }}
}

// nativeAfter waits from when the select begins.
func nativeAfter(d time.Duration, do func()) Case {
	return func() nativeCase {
		return nativeCase{dir: reflect.SelectRecv, ch: reflect.ValueOf(time.After(d)), fire: ignoring(do)}
	}
}

func nativeSelect(ctx context.Context, cases ...Case) (chosen int, err error) {
	if ctx != nil && ctx.Err() != nil {
		return -1, fault.Cancelled(ctx)
	}
	list := make([]nativeCase, len(cases))
	rcases := make([]reflect.SelectCase, 0, len(cases)+1)
	for i, c := range cases {
		if begin, ok := c.(func() nativeCase); ok {
			c = begin()
		}
		list[i] = c.(nativeCase)
		rc := reflect.SelectCase{Dir: list[i].dir, Chan: list[i].ch}
		if list[i].send != nil {
			rc.Send = list[i].send()
		}
		rcases = append(rcases, rc)
	}
	if ctx != nil && ctx.Done() != nil {
		rcases = append(rcases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())})
	}
	chosen, v, ok, closed := reflectSelect(rcases)
	switch {
	case closed:
		return closedSend(list), driver.ErrClosed
	case chosen == len(cases):
		return -1, fault.Cancelled(ctx)
	}
	list[chosen].fire(v, ok)
	return chosen, nil
}

func reflectSelect(rcases []reflect.SelectCase) (chosen int, v reflect.Value, ok, closed bool) {
	defer func() {
		switch p := recover(); {
		case p == nil:
		case fmt.Sprint(p) == "send on closed channel":
			closed = true
		default:
			panic(p)
		}
	}()
	chosen, v, ok = reflect.Select(rcases)
	return chosen, v, ok, false
}

// closedSend finds the send case that panicked.
func closedSend(list []nativeCase) int {
	for i, c := range list {
		if c.dir == reflect.SelectSend && c.closed() {
			return i
		}
	}
	return -1
}

// nativeSelector is a select made once.
type nativeSelector struct {
	cases []Case
	off   []bool
}

func (s *nativeSelector) Enable(i int, on bool) { s.off[i] = !on }

func (s *nativeSelector) Select(ctx context.Context) (int, error) {
	cases := make([]Case, len(s.cases))
	copy(cases, s.cases)
	for i, off := range s.off {
		if off {
			cases[i] = nativeCase{dir: reflect.SelectRecv, ch: reflect.ValueOf((<-chan int)(nil)), fire: ignoring(nil)}
		}
	}
	return nativeSelect(ctx, cases...)
}

func (s *nativeSelector) SelectFirst(context.Context) (int, error) { panic(lacking) }
