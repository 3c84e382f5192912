package drivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handoff-go/handoff/driver"
)

var modelLaws = []Law{
	{
		Name:   "L3/agrees-with-the-obvious-channel",
		Says:   "any sequence of sends, receives, tries, cancels and closes has on the subject, step by step, the effects it has on the obvious one-lock channel",
		Source: "issue 2 section 3; research 1 to 19, 41",
		Needs:  []Feature{FeatureCancel},
		Run:    func(e *Env) { lockstep(e, mix{plain: true}) },
	}, {
		Name:   "L6/selects-agree-with-the-obvious-channel",
		Says:   "any sequence of selects and plain operations over two channels has the effects it has on the obvious one-lock channels, the choice among ready cases being the subject's",
		Source: "issue 2 section 3; research 20 to 33",
		Needs:  []Feature{FeatureCancel, FeatureSelect, FeatureDefault},
		Run:    func(e *Env) { lockstep(e, mix{plain: true, selects: true}) },
	}, {
		Name:   "L3/batches-agree-with-the-obvious-channel",
		Says:   "any sequence of batches and single operations has the effects it has on the obvious one-lock channel",
		Source: "issue 2 section 3; research 44, 45",
		Needs:  []Feature{FeatureCancel, FeatureBatch},
		Run:    func(e *Env) { lockstep(e, mix{plain: true, batches: true}) },
	}, {
		Name:   "L13/holds-agree-with-the-obvious-channel",
		Says:   "any sequence of takes, settlements and plain operations has the effects it has on the obvious one-lock channel",
		Source: "issue 2 section 3; L2, L13",
		Needs:  []Feature{FeatureCancel, FeatureHold},
		Run:    func(e *Env) { lockstep(e, mix{plain: true, holds: true}) },
	}, {
		Name:   "L13/everything-agrees-with-the-obvious-channel",
		Says:   "any sequence of all operations over two channels has the effects it has on the obvious one-lock channels",
		Source: "issue 2 section 3",
		Needs:  []Feature{FeatureCancel, FeatureHold, FeatureBatch, FeatureSelect, FeatureDefault},
		Bubble: true,
		Run:    func(e *Env) { lockstep(e, mix{plain: true, holds: true, batches: true, selects: true}) },
	},
}

// mix says which operations a random sequence has.
type mix struct{ plain, selects, batches, holds bool }

// pair is one operation on the subject beside the same one in the reference.
type pair struct {
	op      *Op
	ref     int
	cancel  context.CancelFunc
	d       Delivery[int]
	took    bool // d is a delivery
	checked bool
}

// run is one random sequence.
type run struct {
	e     *Env
	mix   mix
	chs   []Chan[int]
	w     *world
	pairs []*pair
	value int
	log   []string
}

func lockstep(e *Env, m mix) {
	worlds, steps := min(e.Scale(600), 150), 60
	if !e.bubble {
		worlds = 12
	}
	for range worlds {
		r := &run{e: e, mix: m}
		a, b := e.few(e.Rand.IntN(4)), e.few(e.Rand.IntN(3))
		r.w = newWorld(a, b)
		r.chs = []Chan[int]{e.Chan(a), e.Chan(b)}
		if !m.selects {
			r.chs = r.chs[:1]
		}
		r.note("capacities %d, %d", a, b)
		for range steps {
			r.step()
		}
		for _, p := range r.pairs {
			p.cancel()
		}
		e.endAll()
	}
}

func (r *run) note(format string, args ...any) { r.log = append(r.log, fmt.Sprintf(format, args...)) }

func (r *run) fail(format string, args ...any) {
	r.e.Helper()
	r.e.Fatalf("%s\nafter:\n\t%s", fmt.Sprintf(format, args...), strings.Join(r.log, "\n\t"))
}

func (r *run) fresh() int { r.value++; return r.value }

// step does one random thing on both sides and compares.
func (r *run) step() {
	rnd := r.e.Rand
	ch := rnd.IntN(len(r.chs))
	switch n := rnd.IntN(100); {
	case n < 18:
		r.start(refArm{ch: ch, kind: armSend, rest: r.batch(1)})
	case n < 36:
		r.start(refArm{ch: ch, kind: armRecv, room: 1})
	case n < 46:
		r.trySend(ch)
	case n < 56:
		r.tryRecv(ch)
	case n < 62:
		r.cancelOne()
	case n < 63:
		r.closeOne(ch)
	case n < 72 && r.mix.batches:
		r.start(refArm{ch: ch, kind: armSend, rest: r.batch(2 + rnd.IntN(3))})
	case n < 80 && r.mix.batches && !r.batchWaits(ch) && !(r.e.H.Asks && r.selectSends(ch)):
		r.start(refArm{ch: ch, kind: armRecv, room: 2 + rnd.IntN(3)})
	case n < 86 && r.mix.holds:
		r.start(refArm{ch: ch, kind: armTake, room: 1})
	case n < 93 && r.mix.holds:
		r.settleOne()
	case r.mix.selects:
		r.selectSome()
	default:
		r.start(refArm{ch: ch, kind: armSend, rest: r.batch(1)})
	}
	r.compare()
}

func (r *run) batch(n int) (vs []int) {
	for range n {
		vs = append(vs, r.fresh())
	}
	return vs
}

// batchWaits reports whether a RecvInto waits on ch. Two that are completed in
// one step would share what is there in an order nobody promises.
func (r *run) batchWaits(ch int) bool {
	return slices.ContainsFunc(r.w.chans[ch].recvq, func(k refCase) bool { return r.w.arm(k).room > 1 })
}

// selectSends reports whether the send of a select waits on ch. A RecvInto goes on while that is
// asked for the first slot, so that more than one slot may be free when it has answered: then the
// SendAll behind it passes more in its turn.
func (r *run) selectSends(ch int) bool {
	return slices.ContainsFunc(r.w.chans[ch].line, func(v refValue) bool {
		return !v.slot && v.sender.op >= 0 && len(r.w.ops[v.sender.op].cases) > 1
	})
}

// start begins a plain operation.
func (r *run) start(a refArm) {
	e, ch := r.e, r.chs[a.ch]
	ctx, cancel := e.ending()
	p := &pair{ref: r.w.begin(a), cancel: cancel}
	r.pairs = append(r.pairs, p)
	vs := slices.Clone(a.rest)
	switch {
	case a.kind == armSend && len(vs) == 1:
		r.note("%d: ch%d.Send(%d)", p.ref, a.ch, vs[0])
		p.op = e.SendCtx(ctx, ch, vs[0])
	case a.kind == armSend:
		r.note("%d: ch%d.SendAll(%v)", p.ref, a.ch, vs)
		p.op = e.SendAllCtx(ctx, ch, vs...)
	case a.kind == armTake:
		r.note("%d: ch%d.Take", p.ref, a.ch)
		p.op = e.TakeCtx(ctx, ch)
	case a.room == 1:
		r.note("%d: ch%d.Recv", p.ref, a.ch)
		p.op = e.RecvCtx(ctx, ch)
	default:
		r.note("%d: ch%d.RecvInto(%d)", p.ref, a.ch, a.room)
		p.op = e.Start("RecvInto", []wait{{on: ch}}, func(op *Op) {
			buf := make([]int, a.room)
			op.N, op.Err = ch.RecvInto(ctx, buf)
			op.Buf = buf[:op.N]
		})
	}
	r.w.arrive(p.ref)
}

func (r *run) trySend(ch int) {
	v := r.fresh()
	op := r.w.begin(refArm{ch: ch, kind: armSend, rest: []int{v}})
	ok, err := r.chs[ch].TrySend(v)
	r.e.Settle()
	r.note("%d: ch%d.TrySend(%d) = %v, %v", op, ch, v, ok, err)
	r.w.try(op)
	r.tried(op, ok, err)
}

func (r *run) tryRecv(ch int) {
	op := r.w.begin(refArm{ch: ch, kind: armRecv, room: 1})
	v, ok, err := r.chs[ch].TryRecv()
	r.e.Settle()
	r.note("%d: ch%d.TryRecv = %d, %v, %v", op, ch, v, ok, err)
	r.w.try(op)
	r.tried(op, ok, err)
	if want := r.w.ops[op].got; ok && v != want[0] {
		r.fail("TryRecv got %d, want %d", v, want[0])
	}
}

func (r *run) tried(op int, ok bool, err error) {
	r.e.Helper()
	got := classOf(err)
	if !ok && err == nil {
		got = notReady
	}
	if want := r.w.ops[op].out; got != want {
		r.fail("the try ended as %q, want %q", got, want)
	}
}

// classOf names the outcome that err is.
func classOf(err error) string {
	switch {
	case err == nil:
		return okay
	case errors.Is(err, driver.ErrInDoubt):
		return doubtful
	case errors.Is(err, context.Canceled):
		return cancelled
	case errors.Is(err, driver.ErrClosed):
		return closed
	case errors.Is(err, driver.ErrRejected):
		return rejected
	case errors.Is(err, driver.ErrAbandoned):
		return abandoned
	case errors.Is(err, driver.ErrSettled):
		return settledE
	}
	return err.Error()
}

// cancelOne ends the context of one operation that waits.
func (r *run) cancelOne() {
	p := r.pick(func(p *pair) bool { return !r.w.ops[p.ref].done })
	if p == nil {
		return
	}
	r.note("cancel %d", p.ref)
	p.cancel()
	p.op.Ended()
	r.e.Settle()
	r.w.cancel(p.ref)
}

func (r *run) closeOne(ch int) {
	err := r.chs[ch].Close()
	r.e.Settle()
	r.note("ch%d.Close = %v", ch, err)
	for _, p := range r.pairs {
		// A select that waits to send and to receive there may be told either way.
		if w := &r.w.ops[p.ref]; !w.done && p.op.ended() && p.op.V == closedValue && r.w.chans[ch].used() == 0 {
			r.w.win(refCase{p.ref, p.op.N})
			r.w.end(p.ref, closed)
		}
	}
	if got, want := classOf(err), r.w.close(ch); got != want {
		r.fail("Close ended as %q, want %q", got, want)
	}
}

// settleOne settles one delivery, sometimes one that was settled before.
func (r *run) settleOne() {
	again := r.e.Rand.IntN(10) == 0
	p := r.pick(func(p *pair) bool {
		ch, _ := r.w.heldBy(p.ref)
		return p.took && (again || ch >= 0)
	})
	if p == nil {
		return
	}
	var err error
	var want string
	switch r.e.Rand.IntN(4) {
	case 0:
		err, want = p.d.Return(), r.w.giveBack(p.ref)
		r.note("return %d = %v", p.ref, err)
	case 1:
		err, want = p.d.Reject("no"), r.w.refuse(p.ref)
		r.note("reject %d = %v", p.ref, err)
	default:
		err, want = p.d.Done(), r.w.done(p.ref)
		r.note("done %d = %v", p.ref, err)
	}
	r.e.Settle()
	if got := classOf(err); got != want {
		r.fail("the settlement ended as %q, want %q", got, want)
	}
}

func (r *run) pick(fits func(p *pair) bool) *pair {
	var some []*pair
	for _, p := range r.pairs {
		if fits(p) {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[r.e.Rand.IntN(len(some))]
}

// selectSome begins a select. Which ready case it takes is the subject's choice;
// that it is one of them is checked.
func (r *run) selectSome() {
	e := r.e
	ctx, cancel := e.ending()
	p := &pair{cancel: cancel}
	var arms []refArm
	var sel []arm
	// No two cases of one select stand in the same line: which of them is
	// served is nobody's promise.
	places := e.Rand.Perm(2 * len(r.chs))
	for _, place := range places[:1+e.Rand.IntN(3)] {
		ch := place / 2
		a := refArm{ch: ch, kind: armKind(place % 2), room: 1}
		if r.mix.holds && a.kind == armRecv && e.Rand.IntN(2) == 0 {
			a.kind = armTake
		}
		switch a.kind {
		case armSend:
			a.rest = r.batch(1)
			sel = append(sel, sendArm(r.chs[ch], a.rest[0]))
		case armRecv:
			sel = append(sel, arm{c: r.chs[ch].OnRecv(func(v int, ok bool) {
				if p.op.V = v; !ok {
					p.op.V = closedValue
				}
			}), w: []wait{{on: r.chs[ch]}}})
		case armTake:
			sel = append(sel, arm{c: r.chs[ch].OnTake(func(d Delivery[int], ok bool) {
				if p.op.D, p.op.V = d, d.Value; !ok {
					p.op.V = closedValue
				}
			}), w: []wait{{on: r.chs[ch], takes: true}}})
		}
		arms = append(arms, a)
	}
	withDefault := e.Rand.IntN(3) == 0
	if withDefault {
		arms = append(arms, refArm{kind: armDefault})
		sel = append(sel, arm{c: e.H.Default(nil)})
	}
	p.ref = r.w.begin(arms...)
	r.note("%d: Select(%v)", p.ref, arms)
	r.pairs = append(r.pairs, p)
	r.runSelect(p, ctx, sel, withDefault)
	ready := r.w.ready(p.ref)
	switch {
	case len(ready) > 0 && !slices.Contains(ready, p.op.N) && (p.op.ended() || p.op.N >= 0):
		r.fail("the select chose %d (%v), ready are %v", p.op.N, p.op.Err, ready)
	case len(ready) > 0:
		r.commit(p, ready)
	case withDefault:
		r.w.commit(p.ref, len(arms)-1)
	default:
		r.w.queue(p.ref)
	}
}

// runSelect starts the select so that its callbacks find p.op.
func (r *run) runSelect(p *pair, ctx context.Context, sel []arm, brief bool) {
	var cases []Case
	var waits []wait
	for _, a := range sel {
		cases = append(cases, a.c)
		waits = append(waits, a.w...)
	}
	ready := make(chan struct{})
	p.op = r.e.launch("Select", waits, func(op *Op) {
		<-ready
		op.N, op.Err = r.e.Select(ctx, cases...)
	})
	p.op.N, p.op.brief = -1, brief
	close(ready)
	r.e.Settle()
}

// commit tells the reference what the subject chose. A select that has chosen a
// send whose value is held has not returned: then it is the one case that can do
// that.
func (r *run) commit(p *pair, ready []int) {
	if p.op.ended() {
		r.w.commit(p.ref, p.op.N)
		return
	}
	for _, i := range ready {
		if a := r.w.ops[p.ref].cases[i]; a.kind == armSend {
			after := r.w.clone()
			after.commit(p.ref, i)
			if !after.ops[p.ref].done && r.fits(after) {
				r.w = after
				return
			}
		}
	}
	r.fail("the select waits, and cases %v are ready", ready)
}

// fits reports whether the subject is in the state of world w, as far as its
// operations show.
func (r *run) fits(w *world) bool {
	for _, p := range r.pairs {
		want := &w.ops[p.ref]
		if p.op.ended() != want.done || want.done && len(want.got) == 1 && p.op.Buf == nil && p.op.V != want.got[0] {
			return false
		}
	}
	return true
}

// compare fails the law unless every operation is as the reference has it.
func (r *run) compare() {
	r.e.Helper()
	r.w.settle()
	for _, p := range r.pairs {
		want := &r.w.ops[p.ref]
		if p.checked {
			continue
		}
		if want.done {
			r.e.within(p.op.done) // elsewhere than in a bubble its end may be on its way
		}
		if p.op.ended() != want.done {
			r.fail("operation %d (%s): ended %v, want %v; the reference has %+v", p.ref, p.op.what, p.op.ended(), want.done, *want)
		}
		if want.done {
			r.compareOp(p, want)
		}
	}
	for i, ch := range r.chs {
		if got, want := ch.Len(), r.w.chans[i].length(); got != want {
			r.fail("Len of ch%d is %d, want %d", i, got, want)
		}
	}
}

func (r *run) compareOp(p *pair, want *refOp) {
	r.e.Helper()
	p.checked = true
	kind := armDefault
	if want.chosen >= 0 {
		kind = want.cases[want.chosen].kind
	}
	isSelect := p.op.what == "Select"
	got := classOf(p.op.Err)
	if isSelect && want.out == closed && kind != armSend && p.op.V == closedValue {
		got = closed // a receive case tells it by ok
	}
	if got != want.out {
		r.fail("operation %d (%s) ended as %q, want %q", p.ref, p.op.what, got, want.out)
	}
	if isSelect && want.out != cancelled && p.op.N != want.chosen {
		r.fail("operation %d chose %d, want %d", p.ref, p.op.N, want.chosen)
	}
	var values []int
	switch {
	case p.op.Buf != nil:
		values = p.op.Buf
	case want.out == okay && (kind == armRecv || kind == armTake):
		values = []int{p.op.V}
	}
	if !slices.Equal(values, want.got) {
		r.fail("operation %d (%s) received %v, want %v", p.ref, p.op.what, values, want.got)
	}
	if strings.HasPrefix(p.op.what, "SendAll") && p.op.N != want.n {
		r.fail("operation %d (%s) returned %d, want %d", p.ref, p.op.what, p.op.N, want.n)
	}
	if kind == armTake && want.out == okay {
		if p.took, p.d = true, p.op.D; p.d.Attempt != want.tries {
			r.fail("operation %d took attempt %d, want %d", p.ref, p.d.Attempt, want.tries)
		}
	}
}
