package drivertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/fakecase"
)

// A typed channel is compiled anew for every type it is used with. This package
// uses int, and pointers in this process; whoever wants other payloads judged
// fills them in with Made or Opened and declares FeaturePayloads.

// Make returns the harness of channels made by handoff.Make.
func Make() Harness {
	h := overHandoff("make", makeHere[int])
	h.InBubble, h.NeverEnding = true, true
	h.Has = inProcess
	h.Pointer = Made[*Node]()
	return h
}

// Mem returns the harness of named channels of this process.
func Mem() Harness {
	h := overHandoff("mem", openMem[int])
	h.InBubble = true
	h.Has = inProcess.With(FeatureAttachments, FeatureSendersGone).Without(FeatureCollected, FeatureSharedHeap)
	return h
}

// Made makes channels of T by handoff.Make.
func Made[T any]() Maker[T] { return wrapped(makeHere[T]) }

// Opened opens channels of T at fresh URLs.
func Opened[T any](fresh func(e *Env) string) Maker[T] { return wrapped(opener[T](fresh)) }

// inProcess is what the engine can do, but for several attachments.
var inProcess = Features{}.With(
	FeatureRendezvous, FeatureCancel, FeatureWaitCounts, FeatureStats, FeatureOpError, FeatureCloseRace, FeatureBatch,
	FeatureHold, FeatureHoldTime, FeatureDeadLetter, FeatureSendTimeout, FeatureStop, FeatureDetach,
	FeatureEvents, FeatureHeader,
	FeatureSelect, FeatureDefault, FeatureSelectFirst, FeatureSelector, FeatureNative, FeatureAfter, FeatureClaims,
	FeatureSharedHeap, FeatureNoAlloc, FeatureNoAllocHold, FeatureNoAllocSel, FeatureCollected)

// Medium returns the harness of channels opened by URL. fresh returns a URL of a
// channel that does not exist yet, without the parameters the suite adds. The
// features are what a medium has that keeps all laws and whose channels of one
// home take part in one select; the caller adjusts them to what its medium
// declares, and fills in payloads.
func Medium(name string, fresh func(e *Env) string) Harness {
	h := overHandoff(name, opener[int](fresh))
	h.Far = true
	h.DeadLetter = func(e *Env, slots int) DeadLetter { return deadLetterAt(e, fresh(e), slots) }
	h.Has = Features{}.With(FeatureRendezvous, FeatureCancel, FeatureWaitCounts, FeatureStats, FeatureOpError, FeatureCloseRace, FeatureBatch,
		FeatureHold, FeatureHoldTime, FeatureDeadLetter, FeatureSendTimeout, FeatureStop, FeatureDetach, FeatureAttachments,
		FeatureSendersGone, FeatureEvents, FeatureHeader,
		FeatureSelect, FeatureDefault, FeatureSelectFirst, FeatureSelector, FeatureAfter)
	return h
}

func overHandoff(name string, mk maker[int]) Harness {
	return Harness{
		Name:         name,
		Int:          wrapped(mk),
		Nil:          func() Chan[int] { return &ours[int]{} },
		Select:       func(ctx context.Context, cs ...Case) (int, error) { return handoff.Select(ctx, casesOf(cs)...) },
		SelectFirst:  func(ctx context.Context, cs ...Case) (int, error) { return handoff.SelectFirst(ctx, casesOf(cs)...) },
		NewSelector:  func(cs ...Case) Selector { return handoff.NewSelector(casesOf(cs)...) },
		Default:      func(do func()) Case { return handoff.Default(do) },
		After:        func(d time.Duration, do func()) Case { return handoff.After(d, do) },
		OnNative:     func(c <-chan int, do func(int, bool)) Case { return handoff.OnNative(c, do) },
		OnNativeSend: func(c chan<- int, v int, do func()) Case { return handoff.OnNativeSend(c, v, do) },
		DeadLetter:   memDeadLetter,
		Events: func(f func(Event)) func() {
			return handoff.Events(func(ev handoff.Event) { f(Event{string(ev.Kind), ev.Channel, ev.Op, ev.Reason}) })
		},
		WithHeader: handoff.WithHeader,
		Remote:     func(c *Claimant) Case { return fakecase.New(c) },
		OpOf: func(err error) (op, channel string, ok bool) {
			e, ok := errors.AsType[*handoff.OpError](err)
			if !ok {
				return "", "", false
			}
			return e.Op, e.Channel, true
		},
		ReasonOf: handoff.Reason,
	}
}

func casesOf(cs []Case) []handoff.Case {
	out := make([]handoff.Case, len(cs))
	for i, c := range cs {
		out[i] = c.(handoff.Case)
	}
	return out
}

// maker makes n attachments to a fresh channel.
type maker[T any] func(e *Env, s Spec, n int) []handoff.Chan[T]

func wrapped[T any](mk maker[T]) Maker[T] {
	return func(e *Env, s Spec, n int) []Chan[T] {
		var out []Chan[T]
		l := &line{}
		for _, ch := range mk(e, s, n) {
			o := &ours[T]{Chan: ch, line: l}
			l.add(o.end())
			out = append(out, o)
		}
		return out
	}
}

func makeHere[T any](_ *Env, s Spec, _ int) []handoff.Chan[T] {
	return []handoff.Chan[T]{handoff.Make[T](s.Slots, s.options()...)}
}

var fresh atomic.Int64

// FreshName returns a name no other channel of this process has.
func FreshName() string { return fmt.Sprintf("law-%d", fresh.Add(1)) }

func openMem[T any](e *Env, s Spec, n int) []handoff.Chan[T] {
	return opener[T](func(*Env) string { return "mem:" + FreshName() })(e, s, n)
}

// opener opens a fresh URL n times and detaches when the law ends.
func opener[T any](fresh func(e *Env) string) maker[T] {
	return func(e *Env, s Spec, n int) []handoff.Chan[T] {
		e.Helper()
		if s.Slots < 0 {
			panic("drivertest: no such capacity")
		}
		url := fresh(e)
		opts := append(s.options(), handoff.Slots(s.Slots))
		var out []handoff.Chan[T]
		for i := range n {
			var ch handoff.Chan[T]
			var err error
			switch {
			case !s.OneWay:
				ch, err = handoff.Open[T](e.Ctx, url, opts...)
			case i == 0:
				ch.Sender, err = handoff.OpenSender[T](e.Ctx, url, opts...)
			default:
				ch.Receiver, err = handoff.OpenReceiver[T](e.Ctx, url, opts...)
			}
			if err != nil {
				e.Fatalf("Open(%s): %v", url, err)
			}
			e.AtEnd(func() { (&ours[T]{Chan: ch}).Detach() })
			out = append(out, ch)
		}
		return out
	}
}

func (s Spec) options() []handoff.Option {
	var out []handoff.Option
	if s.Name != "" {
		out = append(out, handoff.Name(s.Name))
	}
	if s.SendTimeout != 0 {
		out = append(out, handoff.SendTimeout(s.SendTimeout))
	}
	if s.MaxHold != 0 {
		out = append(out, handoff.MaxHold(s.MaxHold))
	}
	if s.MaxAttempts != 0 {
		out = append(out, handoff.MaxAttempts(s.MaxAttempts))
	}
	if s.DeadLetter != "" {
		out = append(out, handoff.DeadLetter(s.DeadLetter))
	}
	if s.CloseWhenSendersGone {
		out = append(out, handoff.CloseWhenSendersGone())
	}
	return out
}

func memDeadLetter(e *Env, slots int) DeadLetter {
	return deadLetterAt(e, fmt.Sprintf("mem:%s", FreshName()), slots)
}

// deadLetterAt makes a dead letter at url and looks into it.
func deadLetterAt(e *Env, url string, slots int) DeadLetter {
	mark := "?"
	if strings.Contains(url, "?") {
		mark = "&"
	}
	url += fmt.Sprintf("%sslots=%d", mark, slots)
	ch, err := handoff.Open[handoff.Dead[int]](e.Ctx, url)
	e.OK("Open of the dead letter", err)
	e.AtEnd(func() { ch.Detach() })
	return DeadLetter{URL: url, Try: func() (Dead, bool) {
		d, ok, err := ch.TryRecv()
		e.OK("TryRecv from the dead letter", err)
		return Dead{d.Value, d.Reason, d.Attempts, d.From}, ok
	}}
}

// ours is a handoff channel in the form of Chan; what has the right form is
// promoted.
type ours[T any] struct {
	handoff.Chan[T]
	line *line
}

// line is one channel under all its attachments. Its figures are those of any
// attachment that is left, for one that was detached knows the last only.
type line struct {
	mu   sync.Mutex // guards left
	left []end
}

func (l *line) add(e end) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = append(l.left, e)
}

func (l *line) remove(e end) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = slices.DeleteFunc(l.left, func(other end) bool { return other == e })
}

// Stats is for Settle. Where no attachment is left nobody waits.
func (l *line) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.left) == 0 {
		return Stats{AsOf: time.Now()}
	}
	return l.left[0].Stats()
}

func (o *ours[T]) lineOf() waitable { return o.line }

// lineOf is what operations on w wait for, which several attachments share.
func lineOf(w waitable) waitable {
	if o, ok := w.(interface{ lineOf() waitable }); ok {
		return o.lineOf()
	}
	return w
}

func (o *ours[T]) OnSend(v T, do func()) Case        { return o.Chan.OnSend(v, do) }
func (o *ours[T]) OnSendVar(p *T, do func()) Case    { return o.Chan.OnSendVar(p, do) }
func (o *ours[T]) OnRecv(do func(v T, ok bool)) Case { return o.Chan.OnRecv(do) }
func (o *ours[T]) OnStop(do func(string)) Case       { return o.Chan.OnStop(do) }
func (o *ours[T]) Stats() Stats                      { return o.end().Stats() }
func (o *ours[T]) Len() int                          { return o.end().Len() }
func (o *ours[T]) Cap() int                          { return o.end().Cap() }

func (o *ours[T]) Detach() error {
	err := o.end().Detach()
	o.line.remove(o.end())
	return err
}

// end is what both ends of a channel have.
type end interface {
	Stats() handoff.Stats
	Len() int
	Cap() int
	Detach() error
}

// end returns the end that is there, if only one is.
func (o *ours[T]) end() end {
	if o.Chan.Receiver == (handoff.Receiver[T]{}) {
		return o.Chan.Sender
	}
	return o.Chan.Receiver
}

func (o *ours[T]) OnTake(do func(Delivery[T], bool)) Case {
	if do == nil {
		return o.Chan.OnTake(nil)
	}
	return o.Chan.OnTake(func(d handoff.Delivery[T], ok bool) { do(deliveryOf(d), ok) })
}

func (o *ours[T]) Take(ctx context.Context) (Delivery[T], error) {
	d, err := o.Chan.Take(ctx)
	return deliveryOf(d), err
}

func (o *ours[T]) TakeInto(ctx context.Context, buf []Delivery[T]) (int, error) {
	ds := make([]handoff.Delivery[T], len(buf))
	n, err := o.Chan.TakeInto(ctx, ds)
	for i, d := range ds[:n] {
		buf[i] = deliveryOf(d)
	}
	return n, err
}

func (o *ours[T]) TakeDone(ctx context.Context) (T, error) {
	d, err := o.Chan.Take(ctx)
	if err == nil {
		err = d.Done()
	}
	return d.Value, err
}

func (o *ours[T]) Deliveries(ctx context.Context) iter.Seq2[Delivery[T], error] {
	return func(yield func(Delivery[T], error) bool) {
		for d, err := range o.Chan.Deliveries(ctx) {
			if !yield(deliveryOf(d), err) {
				return
			}
		}
	}
}

func deliveryOf[T any](d handoff.Delivery[T]) Delivery[T] {
	return Delivery[T]{
		Value: d.Value, Attempt: d.Attempt, Header: d.Header,
		Done: d.Done, Return: d.Return, ReturnAfter: d.ReturnAfter, Reject: d.Reject, Extend: d.Extend,
	}
}
