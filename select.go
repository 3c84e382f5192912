package handoff

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fakecase"
)

func init() {
	fakecase.New = func(f engine.Foreign) any { return Case{k: engine.ForeignCase{F: f}} }
}

// Case is one case of a select. It is immutable and may be used in any number
// of selects, also at the same time. Its callback runs once, after the commit,
// on the goroutine that called Select, with no lock held, and not if Select
// returns an error; if it panics, the panic is the caller's. A nil callback is
// allowed. The zero Case is never chosen.
type Case struct {
	k      engine.Case
	at     errorWrapper
	op     string
	refuse error // why it cannot take part in a select
	far    *farCase
	watch  func() engine.Case // of a far stop: how a select of this process sees it
}

// errorWrapper says on which channel an operation failed.
type errorWrapper interface {
	fail(op string, err error) error
}

func (at *attachment[T]) onCase(op string, k engine.Case) Case { return Case{k: k, at: at, op: op} }

// Select waits until one of the cases is ready, commits it, runs its callback
// and returns its index. Exactly one case has an effect; the others have none:
// nothing sent, nothing consumed. Among the cases found ready at one moment the
// choice is uniform. With a Default, it does not wait.
//
// It returns -1 and the error if ctx ends first. A chosen case may itself fail:
// a send on a closed channel returns its index and ErrClosed; a send that is
// held without a slot is chosen, and returns its index with the cause and
// ErrInDoubt if ctx ends during the hold. Without a live case Select waits until
// ctx ends. A header of ctx travels with a chosen send.
//
// Cases on channels of one home, opened by this process through one connection,
// are decided there, together with After and Default; a select with a Default is
// then one round trip, bounded by OpTimeout. If the connection is lost before it is
// known which case was chosen, Select returns -1 and ErrInDoubt if one of them sends,
// else ErrUnreachable.
//
// Cases at several homes, or at a home and in this process, are decided by the
// select itself: it costs a round trip to each home to look what is ready, and
// some more to agree. A Default is chosen only if a second look shows that nothing
// was ready at one moment; if none can be shown, Select returns -1 and ErrContended.
// If a home is lost that may have let a send take effect, that case is chosen with
// ErrInDoubt, else one of its cases with ErrUnreachable. More than one case on a
// medium that takes part in no select is refused, with -1 and ErrUnsupported.
//
// Select allocates for every case and, if it waits, a native channel. In a hot
// loop use a Selector, which does not.
func Select(ctx context.Context, cases ...Case) (chosen int, err error) {
	return NewSelector(cases...).Select(ctx)
}

// SelectFirst is Select, but among the cases found ready the first in order is
// chosen.
func SelectFirst(ctx context.Context, cases ...Case) (chosen int, err error) {
	return NewSelector(cases...).SelectFirst(ctx)
}

// Selector is a select to be used again and again: it allocates nothing per
// turn. One goroutine at a time may use it.
//
// Native cases are the exception: two or more of them wait through reflection,
// which allocates.
type Selector struct {
	s     *engine.Select
	home  *homeSelect // instead of s
	wide  *wideSelect // instead of s
	cases []Case
	bad   error
}

// NewSelector makes a Selector of cases. Their numbers, in the results of a turn
// and for Enable, are their places in the list, from 0.
func NewSelector(cases ...Case) *Selector {
	s := &Selector{cases: cases}
	for _, c := range cases {
		if c.refuse != nil {
			s.bad = c.at.fail("select", c.refuse)
			return s
		}
	}
	by, bad := deciderOf(cases)
	switch {
	case bad != nil:
		s.bad = bad
	case by == oneHome:
		s.home = newHomeSelect(cases)
	case by == owner:
		s.wide = newWideSelect(cases)
	default:
		s.makeLocal()
	}
	return s
}

// makeLocal makes s a select of this process. A stop on a medium is watched from
// here; whether it has come cannot be told at once, but beside a Default its home is
// asked, and the select is not one of this process.
func (s *Selector) makeLocal() {
	var few [4]engine.Case
	kinds := few[:0] // no allocation for a select that is used once
	for _, c := range s.cases {
		kinds = append(kinds, c.k)
	}
	for i, c := range s.cases {
		if c.watch != nil {
			kinds[i] = c.watch()
		}
	}
	s.s = engine.NewSelect(kinds)
}

// Select is the function Select over the cases of s.
func (s *Selector) Select(ctx context.Context) (chosen int, err error) { return s.run(ctx, false) }

// SelectFirst is the function SelectFirst over the cases of s.
func (s *Selector) SelectFirst(ctx context.Context) (chosen int, err error) { return s.run(ctx, true) }

// Enable switches case i off or on again, as setting a channel variable to nil
// does for a case of a native select. It must not be called during a turn, and
// panics if there is no case i.
func (s *Selector) Enable(i int, on bool) {
	switch {
	case s.home != nil:
		s.home.off[i] = !on
		s.home.local.Enable(i, on)
	case s.wide != nil:
		s.wide.enable(i, on)
	case s.s != nil:
		s.s.Enable(i, on)
	default:
		_ = s.cases[i]
	}
}

func (s *Selector) run(ctx context.Context, first bool) (int, error) {
	if s.bad != nil {
		return -1, s.bad
	}
	ctx = background(ctx)
	var i int
	var err error
	switch {
	case s.home != nil:
		i, err = s.home.do(ctx, headerOf(ctx), first)
	case s.wide != nil:
		i, err = s.wide.do(ctx, headerOf(ctx), first)
	default:
		var parks bool
		if i, parks, err = s.s.Begin(ctx, headerOf(ctx), first); parks {
			s.s.Park()
			i, err = s.s.End()
		}
	}
	if err == nil {
		return i, nil
	}
	if i >= 0 && s.cases[i].at != nil {
		return i, s.cases[i].at.fail(s.cases[i].op, err)
	}
	return i, opError("select", "", err)
}

// OnNative is a select case that receives from a native channel, in the same
// select as ours. A value is taken from it only if the case is chosen, and no
// goroutine is needed for it. A nil channel is never ready.
func OnNative[T any](c <-chan T, do func(v T, ok bool)) Case {
	return Case{k: &engine.NativeRecv[T]{C: c, Do: do}}
}

// OnNativeSend is a select case that sends v to a native channel. As in the
// language, choosing a closed one panics. A nil channel is never ready.
func OnNativeSend[T any](c chan<- T, v T, do func()) Case {
	return Case{k: &engine.NativeSend[T]{C: c, V: v, Do: do}}
}

// After is a select case that is ready once d has passed since the select
// began; at once if d is not positive.
func After(d time.Duration, do func()) Case { return Case{k: engine.After{D: d, Do: do}} }

// Default is a select case that is chosen when at one moment no other case was
// ready. Of several only the first counts.
func Default(do func()) Case { return Case{k: engine.Default{Do: do}} }
