package engine

import (
	"reflect"
	"time"
)

// native is an armed case on one of Go's own channels.
type native interface {
	armed
	index() int
	// parkAlone waits for this case and the four signals in one runtime select.
	parkAlone(s *Select, quit <-chan struct{}, clock <-chan time.Time) signal
	// reflected is the case for reflect.Select, settle takes its result.
	reflected() reflect.SelectCase
	settle(v reflect.Value, ok bool)
	// blame tells a send that the select panicked; false if this is none.
	blame(r any) bool
}

// NativeRecv receives from a native channel.
type NativeRecv[T any] struct {
	C  <-chan T
	Do func(v T, ok bool)
	// Err, if not nil, is asked once the case is chosen. If it returns an error
	// the case fails with it, and Do does not run.
	Err func() error
}

// NativeSend sends to a native channel. As in the language, it panics when it
// is chosen and the channel is closed.
type NativeSend[T any] struct {
	C  chan<- T
	V  T
	Do func()
}

//go:norace
func (k *NativeRecv[T]) arm(_ *Select, i int) armed { return &nativeRecv[T]{i: i, k: k} }

//go:norace
func (k *NativeSend[T]) arm(_ *Select, i int) armed { return &nativeSend[T]{i: i, k: k} }

type nativeRecv[T any] struct {
	i  int
	k  *NativeRecv[T]
	v  T
	ok bool
}

//go:norace
func (n *nativeRecv[T]) index() int { return n.i }

//go:norace
func (n *nativeRecv[T]) begin(*Select, Header) {}

//go:norace
func (n *nativeRecv[T]) try(*Select) verdict {
	select {
	case n.v, n.ok = <-n.k.C:
		return committed
	default:
		return unready
	}
}

//go:norace
func (n *nativeRecv[T]) parkAlone(s *Select, quit <-chan struct{}, clock <-chan time.Time) signal {
	select {
	case n.v, n.ok = <-n.k.C:
		return signal(n.i)
	case <-s.tk.Hand():
		return handed
	case <-s.tk.Bell():
		return rang
	case <-quit:
		return done
	case <-clock:
		return timed
	}
}

//go:norace
func (n *nativeRecv[T]) reflected() reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(n.k.C)}
}

//go:norace
func (n *nativeRecv[T]) settle(v reflect.Value, ok bool) {
	n.v, _ = v.Interface().(T) // a nil interface value stays the zero T
	n.ok = ok
}

//go:norace
func (n *nativeRecv[T]) finish() error {
	var zero T
	v, ok := n.v, n.ok
	n.v = zero
	if n.k.Err != nil {
		if err := n.k.Err(); err != nil {
			return err
		}
	}
	if n.k.Do != nil {
		n.k.Do(v, ok)
	}
	return nil
}

type nativeSend[T any] struct {
	i      int
	k      *NativeSend[T]
	raised any // the panic of a send on a closed channel, kept until no lock is held
}

// keep catches that panic: the case counts as chosen, and finish raises it.
//
//go:norace
func (n *nativeSend[T]) keep(chosen func()) {
	if n.raised = recover(); n.raised != nil {
		chosen()
	}
}

//go:norace
func (n *nativeSend[T]) index() int { return n.i }

//go:norace
func (n *nativeSend[T]) begin(*Select, Header) {}

//go:norace
func (n *nativeSend[T]) try(*Select) (v verdict) {
	defer n.keep(func() { v = committed })
	select {
	case n.k.C <- n.k.V:
		return committed
	default:
		return unready
	}
}

//go:norace
func (n *nativeSend[T]) parkAlone(s *Select, quit <-chan struct{}, clock <-chan time.Time) (sig signal) {
	defer n.keep(func() { sig = signal(n.i) })
	select {
	case n.k.C <- n.k.V:
		return signal(n.i)
	case <-s.tk.Hand():
		return handed
	case <-s.tk.Bell():
		return rang
	case <-quit:
		return done
	case <-clock:
		return timed
	}
}

//go:norace
func (n *nativeSend[T]) reflected() reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectSend, Chan: reflect.ValueOf(n.k.C), Send: reflect.ValueOf(&n.k.V).Elem()}
}

//go:norace
func (n *nativeSend[T]) settle(reflect.Value, bool) {}

//go:norace
func (n *nativeSend[T]) finish() error {
	if r := n.raised; r != nil {
		n.raised = nil
		panic(r)
	}
	return call(n.k.Do)
}

// parkNative waits for the native cases and the four signals in one select of
// the runtime, which makes the decision between them. One native case needs no
// reflection.
//
//go:norace
func (s *Select) parkNative(quit <-chan struct{}, clock <-chan time.Time) signal {
	on := s.nativesOn()
	if len(on) == 1 {
		return on[0].parkAlone(s, quit, clock)
	}
	signals := []reflect.Value{
		reflect.ValueOf(s.tk.Bell()), reflect.ValueOf(s.tk.Hand()),
		reflect.ValueOf(quit), reflect.ValueOf(clock),
	}
	cases := make([]reflect.SelectCase, len(signals), len(signals)+len(on))
	for i, c := range signals {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: c}
	}
	i := s.reflectSelect(cases, on)
	if i < len(signals) {
		return []signal{rang, handed, done, timed}[i]
	}
	return signal(on[i-len(signals)].index())
}

// lookNative chooses among several native cases at one moment. Each alone was
// found not ready, but not all at the same time; the runtime's select with a
// default is one look, while our own channels are still locked.
//
//go:norace
func (s *Select) lookNative() (int, verdict) {
	on := s.nativesOn()
	if len(on) < 2 {
		return -1, unready
	}
	i := s.reflectSelect([]reflect.SelectCase{{Dir: reflect.SelectDefault}}, on)
	if i == 0 {
		return -1, unready
	}
	return on[i-1].index(), committed
}

// reflectSelect lets the runtime choose among before and the native cases on
// after them.
//
//go:norace
func (s *Select) reflectSelect(before []reflect.SelectCase, on []native) (chosen int) {
	cases := before
	for _, n := range on {
		cases = append(cases, n.reflected())
	}
	defer func() {
		if r := recover(); r != nil {
			chosen = len(before) + blame(on, r)
		}
	}()
	i, v, ok := reflect.Select(cases)
	if i >= len(before) {
		on[i-len(before)].settle(v, ok)
	}
	return i
}

// blame charges one of the native sends with the panic r of a select over all of
// them: the runtime does not say which channel was closed.
//
//go:norace
func blame(on []native, r any) int {
	for i, n := range on {
		if n.blame(r) {
			return i
		}
	}
	panic(r)
}

//go:norace
func (n *nativeRecv[T]) blame(any) bool { return false }

//go:norace
func (n *nativeSend[T]) blame(r any) bool { n.raised = r; return true }

//go:norace
func (s *Select) nativesOn() []native {
	on := make([]native, 0, len(s.natives))
	for _, n := range s.natives {
		if !s.off[n.index()] {
			on = append(on, n)
		}
	}
	return on
}
