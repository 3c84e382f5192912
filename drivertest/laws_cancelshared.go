package drivertest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// A context under which a channel was used again and again is one that a medium
// may have made arrangements for.

var cancelSharedLaws = []Law{
	{
		Name:   "L8/one-context-ends-all-that-wait-under-it",
		Says:   "the end of a context that was used many times ends all that wait under it, with its error and cause and without effect, and nobody else",
		Source: "L8; research 41, 42",
		Needs:  []Feature{FeatureCancel, FeatureWaitCounts},
		Storm:  true, // not in a bubble, where nobody parks
		Run:    lawSharedContext,
	}, {
		Name:   "L8/a-context-ends-in-mid-stream",
		Says:   "when the context that all senders and receivers share ends at any moment, a send that failed sent nothing and one that did not was received once or is still there",
		Source: "L1, L8; research 41",
		Needs:  []Feature{FeatureCancel},
		Storm:  true,
		Run:    lawMidStream,
	}, {
		Name:   "L8/a-selector-ends-with-the-context-it-is-under",
		Says:   "the end of a context under which a selector was used many times ends the turn that waits under it, without effect, and no turn under another",
		Source: "L8, L6; research 31, 41",
		Needs:  []Feature{FeatureCancel, FeatureSelector, FeatureWaitCounts},
		Storm:  true, // not in a bubble, where nobody parks
		Run:    lawSelectorContext,
	}, {
		Name:   "L8/a-context-ends-selectors-in-mid-stream",
		Says:   "as a-context-ends-in-mid-stream, where both sides are selectors over two channels",
		Source: "L1, L6, L8; research 31, 41",
		Needs:  []Feature{FeatureCancel, FeatureSelector},
		Storm:  true,
		Run:    lawSelectorsMidStream,
	},
}

// often is how many waits under one context are many.
const often = 40

// waiting are the operations that can wait on ch, in pairs: what waits under ctx,
// and what completes it.
func (e *Env) waiting(ctx context.Context, ch Chan[int]) [][2]func() *Op {
	pairs := [][2]func() *Op{
		{func() *Op { return e.RecvCtx(ctx, ch) }, func() *Op { return e.Send(ch, 1) }},
		{func() *Op { return e.SendCtx(ctx, ch, 1) }, func() *Op { return e.Recv(ch) }},
	}
	if e.H.Has[FeatureBatch] {
		pairs = append(pairs, [2]func() *Op{func() *Op { return e.SendAllCtx(ctx, ch, 1) }, func() *Op { return e.RecvInto(ch, 2) }})
	}
	return pairs
}

func lawSharedContext(e *Env) {
	for range 2 { // the second time with a context after the first
		ch := e.Chan(0)
		for k := range e.waiting(e.Ctx, ch) {
			ctx, cancel := context.WithCancelCause(e.Ctx)
			e.manyWaits(e.waiting(ctx, ch)[k])
			e.endsAll(ch, k, ctx, func() { cancel(errWhy) })
		}
	}
}

// manyWaits has the first of pair wait, and the second complete it, often.
func (e *Env) manyWaits(pair [2]func() *Op) {
	for range often {
		w := pair[0]()
		e.Settle()
		w.Blocked()
		other := pair[1]()
		w.Succeeded()
		other.Succeeded()
	}
}

// endsAll has some of the k-th operations wait under ctx and one of them under no
// other end than the law's, and ends ctx.
func (e *Env) endsAll(ch Chan[int], k int, ctx context.Context, end func()) {
	var under []*Op
	for range 3 {
		under = append(under, e.waiting(ctx, ch)[k][0]())
	}
	other := e.waiting(e.Ctx, ch)[k]
	left := other[0]()
	e.Settle()
	end()
	e.Settle()
	for _, op := range under {
		op.Failed(context.Canceled, errWhy)
	}
	left.Blocked()
	completes := other[1]()
	left.Succeeded()
	completes.Succeeded()
}

func lawSelectorContext(e *Env) {
	a, b := e.Chan(0), e.Chan(0)
	sel := e.NewSelector(a.OnRecv(nil), b.OnRecv(nil))
	turn := func(ctx context.Context) *Op {
		op := e.Start("Select", []wait{{on: a}, {on: b}}, func(op *Op) { op.N, op.Err = sel.Select(ctx) })
		e.Settle()
		return op.Blocked()
	}
	for range 2 { // the second time with a context after the first
		ctx, cancel := context.WithCancelCause(e.Ctx)
		for i := range often {
			op := turn(ctx)
			e.Sends([]Chan[int]{a, b}[i%2], i)
			op.Chose(i % 2)
		}
		op := turn(ctx)
		cancel(errWhy)
		e.Settle()
		op.Failed(context.Canceled, errWhy)
		e.Empty(a)
		e.Empty(b)
	}
	for range 5 {
		ctx, cancel := e.ending()
		for range often {
			op := turn(ctx)
			e.Sends(b, 1)
			op.Chose(1)
		}
		told := make(chan struct{})
		context.AfterFunc(ctx, func() { close(told) })
		op := turn(context.Background()) // which is not under ctx
		cancel()
		<-told
		for range 20 { // others that hear of that end may be slower
			e.Settle()
			op.Blocked()
		}
		e.Sends(a, 2)
		op.Chose(0)
	}
}

func lawSelectorsMidStream(e *Env) { midStreams(e, (*midStream).selSend, (*midStream).selRecv) }

func lawMidStream(e *Env) { midStreams(e, (*midStream).send, (*midStream).recv) }

func midStreams(e *Env, send func(m *midStream, g *midGroup, first int64), recv func(m *midStream, g *midGroup)) {
	for range e.Scale(2000) {
		slots := e.Rand.IntN(2)
		m := &midStream{e: e, ch: e.Chan(slots), other: e.Chan(slots), stop: int64(1 + e.Rand.IntN(3*often))}
		for i := range m.groups {
			g := &m.groups[i]
			g.ctx, g.cancel = e.ending()
		}
		for i := range m.groups {
			m.groups[i].wg.Add(2)
			go send(m, &m.groups[i], int64(i+1))
			go recv(m, &m.groups[i])
		}
		for i := range m.groups { // the first is ended in mid-stream, and then the other
			e.join(&m.groups[i].wg)
			m.groups[(i+1)%2].cancel()
		}
		m.drain(m.ch)
		m.drain(m.other)
		if sent, received := m.sent.Load(), m.received.Load(); sent != received {
			e.Fatalf("the squares of what was sent add up to %d, of what was received to %d", sent, received)
		}
		e.OK("Close", m.ch.Close())
		e.OK("Close", m.other.Close())
	}
}

// midStream is a channel with two senders and two receivers, one of each under one
// context.
type midStream struct {
	e              *Env
	ch, other      Chan[int] // the other is for selects only
	groups         [2]midGroup
	stop           int64 // how many values are received before the first context ends
	count          atomic.Int64
	sent, received atomic.Int64 // sums of squares of values, which are distinct
}

type midGroup struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (m *midStream) send(g *midGroup, first int64) {
	defer g.wg.Done()
	for v := first; ; v += 2 {
		if err := m.ch.Send(g.ctx, int(v)); err != nil {
			m.cancelled(err)
			return
		}
		m.sent.Add(v * v)
	}
}

func (m *midStream) recv(g *midGroup) {
	defer g.wg.Done()
	for {
		v, err := m.ch.Recv(g.ctx)
		if err != nil {
			m.cancelled(err)
			return
		}
		m.got(v)
	}
}

// got counts a value received.
func (m *midStream) got(v int) {
	m.received.Add(int64(v) * int64(v))
	if m.count.Add(1) == m.stop {
		m.groups[0].cancel()
	}
}

// selSend is send by a selector over both channels.
func (m *midStream) selSend(g *midGroup, first int64) {
	defer g.wg.Done()
	v := int(first)
	sel := m.e.NewSelector(m.ch.OnSendVar(&v, nil), m.other.OnSendVar(&v, nil))
	for ; ; v += 2 {
		if _, err := sel.Select(g.ctx); err != nil {
			m.cancelled(err)
			return
		}
		m.sent.Add(int64(v) * int64(v))
	}
}

// selRecv is recv by a selector over both channels.
func (m *midStream) selRecv(g *midGroup) {
	defer g.wg.Done()
	do := func(v int, _ bool) { m.got(v) }
	sel := m.e.NewSelector(m.ch.OnRecv(do), m.other.OnRecv(do))
	for {
		if _, err := sel.Select(g.ctx); err != nil {
			m.cancelled(err)
			return
		}
	}
}

func (m *midStream) cancelled(err error) {
	if !errors.Is(err, context.Canceled) {
		m.e.Errorf("the context has ended, but the error is %v", err)
	}
}

// drain takes what is left.
func (m *midStream) drain(ch Chan[int]) {
	for {
		v, ok, err := ch.TryRecv()
		if err != nil {
			m.e.Fatalf("TryRecv: %v", err)
		}
		if !ok {
			return
		}
		m.received.Add(int64(v) * int64(v))
	}
}
