package drivertest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Env is one run of one law.
type Env struct {
	testing.TB
	H Harness
	// Ctx ends when the law does, so that whatever still blocks then is freed.
	Ctx context.Context
	// Rand is for the law's own goroutine only; see NewRand.
	Rand *rand.Rand

	law    Law
	check  Checker
	claims claimMode
	seed   uint64
	share  int  // repeats are divided by it
	bubble bool // inside a synctest bubble: time is virtual, blocked is exact
	cancel context.CancelFunc
	limit  time.Duration

	draft  *draft        // takes what TB would hear; nil but for laws about time
	began  time.Time     // of the law
	passed time.Duration // what Advance let pass; the law's own goroutine's

	courting atomic.Int64 // offers to claimants whose turns are not over

	hearing sync.RWMutex // guards over; held for reading while TB hears of an error
	over    bool         // the law has ended: nobody is left to hear

	mu        sync.Mutex // guards what follows
	seeds     *rand.Rand // for NewRand: Rand itself is in use meanwhile
	ops       []*Op
	suitors   []*Claimant // those whose claims figures must wait for
	chans     []Chan[int]
	claimants []*Claimant
	undo      []func()
}

// Errorf is TB's, but may be called by a goroutine that the law gave up on.
func (e *Env) Errorf(format string, args ...any) {
	e.Helper()
	e.hearing.RLock()
	defer e.hearing.RUnlock()
	switch {
	case e.over:
	case e.draft != nil:
		e.draft.add(format, args...)
	default:
		e.TB.Errorf(format, args...)
	}
}

// Fatalf is TB's, with the same addition.
func (e *Env) Fatalf(format string, args ...any) {
	e.Helper()
	e.hearing.RLock()
	defer e.hearing.RUnlock()
	switch {
	case e.over:
	case e.draft != nil:
		e.draft.add(format, args...)
	default:
		e.TB.Fatalf(format, args...)
	}
	runtime.Goexit()
}

// close frees whatever the law left blocked and waits for it.
func (e *Env) close() {
	e.hearing.Lock()
	e.over = true
	e.hearing.Unlock()
	e.free()
	for _, op := range e.ops {
		if !e.within(op.done) {
			e.TB.Errorf("an operation ignores the end of its context: %s", op.what)
			break
		}
	}
	for _, c := range e.claimants {
		c.end()
	}
	for i := len(e.undo) - 1; i >= 0; i-- {
		e.undo[i]()
	}
}

// AtEnd registers f to run when the law ends, when nothing is blocked any more.
func (e *Env) AtEnd(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.undo = append(e.undo, f)
}

// within waits for done, up to a limit that only a broken subject reaches.
func (e *Env) within(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	limit := time.NewTimer(e.limit / 2)
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-limit.C:
		return false
	}
}

// NewRand returns a source of random numbers for one goroutine of the law.
func (e *Env) NewRand() *rand.Rand {
	e.mu.Lock()
	defer e.mu.Unlock()
	return rand.New(rand.NewPCG(e.seeds.Uint64(), e.seeds.Uint64()))
}

// Scale returns how often to repeat something that is worth n repeats.
func (e *Env) Scale(n int) int {
	if testing.Short() {
		n /= 10
	}
	if e.H.Far {
		n /= 10
	}
	if raceEnabled {
		n /= 8
	}
	if e.claims != claimsNone && e.law.Storm {
		n /= 20
	}
	return max(n/max(e.share, 1), 20)
}

// Chan makes a channel of int with that many slots.
func (e *Env) Chan(slots int) Chan[int] { return e.Make(Spec{Slots: slots}) }

// Make makes a channel of int.
func (e *Env) Make(s Spec) Chan[int] { e.Helper(); return e.Attach(s, 1)[0] }

// Attach makes a channel of int with n attachments.
func (e *Env) Attach(s Spec, n int) []Chan[int] {
	e.Helper()
	chs := e.H.Int(e, s, n)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.neverEnding() {
		e.chans = append(e.chans, chs...)
	}
	return chs
}

// neverEnding reports whether the context of the law is one that never ends.
func (e *Env) neverEnding() bool { return e.H.NeverEnding && !e.bubble && !e.law.Ends }

// renew gives the law a context.
func (e *Env) renew() {
	switch {
	case e.neverEnding():
		e.Ctx, e.cancel = context.Background(), func() {}
	case e.bubble:
		e.Ctx, e.cancel = context.WithTimeout(context.Background(), limitVirtual)
	default:
		e.Ctx, e.cancel = context.WithTimeout(context.Background(), e.limit)
	}
}

// free ends whatever is still blocked.
func (e *Env) free() {
	e.cancel()
	if !e.law.Storm && e.H.Has[FeatureDetach] {
		for _, ch := range e.chans {
			ch.Detach()
		}
	}
	e.chans = nil
}

// each runs f for every capacity the subject can have among slots.
func (e *Env) each(slots []int, f func(slots int)) {
	for _, n := range slots {
		if n > 0 || e.H.Has[FeatureRendezvous] {
			f(n)
		}
	}
}

// Select selects over cases; in a run with claimants, one more case belongs to
// a claimant, and a select that the claimant won is done again.
func (e *Env) Select(ctx context.Context, cases ...Case) (int, error) {
	return e.selectBy(e.H.Select, ctx, cases)
}

// SelectFirst is Select in order.
func (e *Env) SelectFirst(ctx context.Context, cases ...Case) (int, error) {
	return e.selectBy(e.H.SelectFirst, ctx, cases)
}

func (e *Env) selectBy(sel func(context.Context, ...Case) (int, error), ctx context.Context, cases []Case) (int, error) {
	if e.claims == claimsNone {
		return sel(ctx, cases...)
	}
	c := e.newClaimant(e.claims)
	all := append(append(make([]Case, 0, len(cases)+1), cases...), e.H.Remote(c))
	for {
		c.expect()
		i, err := sel(ctx, all...)
		c.end()
		if i != len(cases) {
			c.lost()
			return i, err
		}
		c.won()
		if err != nil {
			c.lost()
			e.Errorf("a select won by a claimant that confirmed returned %v", err)
			return i, err
		}
	}
}

// Settle returns when every operation of the law has ended or waits. In a
// bubble that is a fact; elsewhere it is when the channels' own figures agree.
func (e *Env) Settle() {
	e.Helper()
	if e.bubble {
		if e.claims != claimsNone {
			time.Sleep(claimantsQuiet)
		}
		synctest.Wait()
		return
	}
	deadline := time.Now().Add(e.limit / 2)
	for from := time.Now(); !e.quiet(from); {
		if time.Now().After(deadline) {
			e.Fatalf("operations neither end nor wait: %v", e.unfinished())
		}
		time.Sleep(50 * time.Microsecond) // between two looks, not to order anything
	}
}

// quiet reports whether the figures, known after from, say that every
// unfinished operation is waiting.
func (e *Env) quiet(from time.Time) bool {
	lines := map[waitable]bool{}
	var waiting []*Op
	if e.courted() {
		return false
	}
	e.mu.Lock()
	for _, op := range e.ops {
		for _, w := range op.waits {
			if l := lineOf(w.on); l != nil {
				lines[l] = lines[l] || w.takes
			}
		}
		if op.ended() {
			continue
		}
		if waiting = append(waiting, op); op.brief {
			e.mu.Unlock()
			return false
		}
	}
	e.mu.Unlock()
	seen := census{waiting: map[wait]int{}, held: map[waitable]bool{}, closed: map[waitable]bool{}}
	for l, taken := range lines {
		s := l.Stats()
		if s.AsOf.Before(from) || s.Matching {
			return false
		}
		seen.waiting[wait{on: l, sends: true}], seen.waiting[wait{on: l}] = s.SendersWaiting, s.ReceiversWaiting
		seen.held[l], seen.closed[l] = taken || s.Held > 0, s.Closed
	}
	// Once more: a select that stands in a line now may have begun since the look
	// above, and not have offered its ticket yet.
	return seen.explained(waiting) && !e.courted()
}

// courted reports whether a claim may be under way, or is still to come.
func (e *Env) courted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if slices.ContainsFunc(e.suitors, (*Claimant).expected) {
		return true
	}
	// After the look at what is expected: an offer counts here before it is
	// expected no more.
	return e.courting.Load() > 0
}

// census counts who waits where.
type census struct {
	waiting map[wait]int
	held    map[waitable]bool // lines in which values may be held, or were given back
	closed  map[waitable]bool
}

// explained reports whether exactly these operations wait. A select waits in all
// its lines, or, when one of its sends was taken and is not settled, in that one.
// One whose ticket a claimant has waits for him: where its channels lie at homes it has
// left the lines of closed ones already, and all of them if it was cancelled.
func (c census) explained(ops []*Op) bool {
	if len(ops) == 0 {
		for _, n := range c.waiting {
			if n != 0 {
				return false
			}
		}
		return true
	}
	op, rest := ops[0], ops[1:]
	if c.without(op.waits, rest) || op.claimed() && c.without(c.open(op), rest) {
		return true
	}
	for _, w := range op.waits {
		if len(op.waits) > 1 && w.sends && c.held[lineOf(w.on)] && c.without([]wait{w}, rest) {
			return true
		}
	}
	return false
}

// claimed reports whether a manual claimant has the ticket of op.
func (op *Op) claimed() bool { return op.by != nil && op.by.holding.Load() }

// open are the lines in which op, claimed, stands in any case.
func (c census) open(op *Op) (ws []wait) {
	if op.ctx.Err() != nil {
		return nil
	}
	for _, w := range op.waits {
		if !c.closed[lineOf(w.on)] {
			ws = append(ws, w)
		}
	}
	return ws
}

// without reports whether rest explains what is left when ws are taken out.
func (c census) without(ws []wait, rest []*Op) bool {
	left := true
	for _, w := range ws {
		w.on, w.takes = lineOf(w.on), false
		c.waiting[w]--
		left = left && c.waiting[w] >= 0
	}
	left = left && c.explained(rest)
	for _, w := range ws {
		w.on, w.takes = lineOf(w.on), false
		c.waiting[w]++
	}
	return left
}

func (e *Env) unfinished() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, op := range e.ops {
		if !op.ended() {
			out = append(out, op.what)
		}
	}
	return out
}

// Advance lets d pass.
func (e *Env) Advance(d time.Duration) {
	e.Helper()
	time.Sleep(d)
	e.passed += d
	e.Settle()
}

// late is how much longer the law has taken than it let pass.
func (e *Env) late() time.Duration { return time.Since(e.began) - e.passed }

// Together runs n goroutines at once and waits for them. f must use e.Ctx in
// whatever blocks.
func (e *Env) Together(n int, f func(i int)) {
	e.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	e.join(&wg)
}

// join waits for wg; if it takes too long the law's context is ended first, and
// then the law fails.
func (e *Env) join(wg *sync.WaitGroup) {
	e.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	if !e.within(done) {
		buf := make([]byte, 256<<10)
		e.Fatalf("goroutines of the law still wait after %v:\n%s", e.limit/2, buf[:runtime.Stack(buf, true)])
	}
}

// ending returns a context that a law ends itself.
func (e *Env) ending() (context.Context, context.CancelFunc) { return context.WithCancel(e.Ctx) }

// linear fails the law when the time of work(n) grows faster than n. Time on a
// shared machine is rough, so only a factor near that of quadratic work counts,
// and only if it shows every time.
func (e *Env) linear(n int, work func(n int) func()) {
	e.Helper()
	best := func(f func()) time.Duration {
		least := time.Duration(1<<63 - 1)
		for range 3 {
			start := time.Now()
			f()
			least = min(least, time.Since(start))
		}
		return least
	}
	var small, large time.Duration
	for range 4 {
		small, large = best(work(n)), best(work(8*n))
		if large < 32*small {
			return
		}
	}
	e.Fatalf("work for %d waiters took %v, for %d %v: more than linear", n, small, 8*n, large)
}

// NewSelector makes a reusable select, with a claimant beside its cases in a run
// with claimants.
func (e *Env) NewSelector(cases ...Case) Selector {
	if e.claims == claimsNone {
		return e.H.NewSelector(cases...)
	}
	c := e.newClaimant(e.claims)
	all := append(append(make([]Case, 0, len(cases)+1), cases...), e.H.Remote(c))
	return &claimedSelector{e, e.H.NewSelector(all...), c, len(cases)}
}

// claimedSelector selects again when its last case, the claimant's, has won.
type claimedSelector struct {
	e      *Env
	s      Selector
	c      *Claimant
	remote int
}

func (s *claimedSelector) Enable(i int, on bool) { s.s.Enable(i, on) }

func (s *claimedSelector) Select(ctx context.Context) (int, error) { return s.again(s.s.Select, ctx) }

func (s *claimedSelector) SelectFirst(ctx context.Context) (int, error) {
	return s.again(s.s.SelectFirst, ctx)
}

func (s *claimedSelector) again(sel func(context.Context) (int, error), ctx context.Context) (int, error) {
	for {
		s.c.expect()
		i, err := sel(ctx)
		s.c.end()
		if i != s.remote {
			s.c.lost()
			return i, err
		}
		s.c.won()
	}
}
