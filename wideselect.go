package handoff

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// wideSelect is a select over channels of several homes, or of a home and this
// process: docs/spec/select.md. Its turn begins with a look at all of them, so that
// the choice among what is ready is fair; if nothing is, the ticket of the select in
// this process is offered to the homes, and decides.
type wideSelect struct {
	cases    []Case
	off      []bool
	fallback int            // the Default, or -1
	local    *engine.Select // what is of this process, and a case for each home
	here     []int          // cases of local that are of this process
	homes    []*party

	// Of the turn.
	ops    []*driver.Op // of each case at a home that takes part
	header engine.Header
	number uint64 // of its ticket
	won    int    // the case at a home that has won the ticket
}

const (
	// maxLooks is how often a select with a Default looks for a moment at which
	// nothing was ready, and did not find it only because something came and went.
	maxLooks = 64
	// lookTime is how long a select that may wait looks whether a home has something
	// ready at once. One that takes longer is not part of that look.
	lookTime = 100 * time.Millisecond
)

// claimable says which of cases cannot be decided by their select, if so.
func claimable(cases []Case) error {
	for i := range cases {
		c := &cases[i]
		if c.far == nil {
			continue
		}
		ch := c.far.link.ch
		if _, ok := ch.(driver.Claimer); !ok || ch.Info().Can.Select < driver.SelectClaims {
			return c.at.fail("select", fault.Because(ErrUnsupported, "its home takes part in no select that others take part in"))
		}
	}
	return nil
}

// newWideSelect makes a select of cases, which are claimable. A stop on a medium is
// watched from here, unless a Default needs to know that there is none.
func newWideSelect(cases []Case) *wideSelect {
	s := &wideSelect{cases: cases, off: make([]bool, len(cases)), fallback: -1, ops: make([]*driver.Op, len(cases))}
	s.fallback = slices.IndexFunc(cases, func(c Case) bool {
		_, is := c.k.(engine.Default)
		return is
	})
	kinds := make([]engine.Case, len(cases))
	for i := range cases {
		c := &cases[i]
		switch _, isDefault := c.k.(engine.Default); {
		case isDefault:
		case c.far == nil:
			kinds[i] = c.k
		case c.watch != nil && s.fallback < 0:
			kinds[i] = c.watch()
		default:
			s.join(c, i)
			continue
		}
		if kinds[i] != nil {
			s.here = append(s.here, i)
		}
	}
	for _, p := range s.homes {
		kinds[p.index[0]] = engine.ForeignCase{F: p}
	}
	s.local = engine.NewSelect(kinds)
	return s
}

// join adds case i to those of its home.
func (s *wideSelect) join(c *Case, i int) {
	home := c.far.link.ch.Info().Home
	for _, p := range s.homes {
		if p.home == home {
			p.index = append(p.index, i)
			return
		}
	}
	s.homes = append(s.homes, &party{s: s, home: home, index: []int{i}})
}

// enable is Selector.Enable.
func (s *wideSelect) enable(i int, on bool) {
	s.off[i] = !on
	for _, p := range s.homes {
		if slices.Contains(p.index, i) {
			s.local.Enable(p.index[0], len(p.on()) > 0)
			return
		}
	}
	s.local.Enable(i, on)
}

// do is engine.Select.Do.
func (s *wideSelect) do(ctx context.Context, h engine.Header, first bool) (int, error) {
	if err := engine.Ended(ctx); err != nil {
		return -1, err
	}
	s.header = h
	for _, p := range s.homes {
		for _, i := range p.on() {
			op, err := s.cases[i].far.begin(h)
			if err != nil {
				return i, err
			}
			s.ops[i] = op
		}
	}
	if s.fallback >= 0 && !s.off[s.fallback] {
		return s.doBeside(ctx, first)
	}
	if i, ok, err := s.attempt(ctx, s.look(ctx, lookTime), first); ok {
		return i, err
	}
	s.number = turns.Add(1)
	i, err := s.local.Do(ctx, h, first)
	if i >= 0 && s.cases[i].far != nil && s.cases[i].watch == nil {
		i = s.won
	}
	return i, err
}

// doBeside is do where there is a Default.
func (s *wideSelect) doBeside(ctx context.Context, first bool) (int, error) {
	seen := s.look(ctx, 0)
	for range maxLooks {
		if i, ok, err := s.attempt(ctx, seen, first); ok {
			return i, err
		}
		if seen.err != nil {
			return -1, seen.err
		}
		// Between two looks from afar that find nothing, and nothing between, lies a
		// look at this process: there is the moment.
		if len(s.here) > 0 {
			if i, ok, err := s.local.TryNow(ctx, s.header, first, true); ok {
				return i, err
			}
		}
		again := s.look(ctx, 0)
		if again.err == nil && again.quietSince(seen) {
			return s.fallback, s.runs(s.fallback)
		}
		again.suspect(seen)
		seen = again
	}
	return -1, fault.Because(ErrContended, "after %d looks no moment was found at which no case was ready", maxLooks)
}

func (s *wideSelect) runs(i int) error {
	if k, ok := s.cases[i].k.(engine.Default); ok {
		call(k.Do)
	}
	return nil
}

// view is what one look found.
type view struct {
	ready []int // cases that are, of each home, and then here
	times []uint64
	err   error // of a home that did not say
}

// quietSince reports whether nothing is ready, or was since an earlier look.
func (v *view) quietSince(earlier *view) bool {
	for k := range v.times {
		if v.ready[k] > 0 || v.times[k] != earlier.times[k] {
			return false
		}
	}
	return true
}

// suspect counts a home that had something ready since an earlier look, and has not
// now, as one that may have again: what comes and goes fast is else never met.
func (v *view) suspect(earlier *view) {
	for k := range v.times {
		if v.ready[k] == 0 && v.times[k] != earlier.times[k] {
			v.ready[k] = 1
		}
	}
}

// look asks every home which of its cases are ready, all at once. within bounds it;
// 0 is as long as an operation without a context may take.
func (s *wideSelect) look(ctx context.Context, within time.Duration) *view {
	v := &view{ready: make([]int, len(s.homes)+1), times: make([]uint64, len(s.homes))}
	ops := make([]*driver.Op, len(s.homes))
	ended := make(chan int, len(s.homes))
	for k, p := range s.homes {
		if len(p.on()) > 0 {
			ops[k] = p.looks(func() { ended <- k })
		} else {
			ended <- k
		}
	}
	v.ready[len(s.homes)] = s.local.Ready()
	for k, p := range s.homes {
		if ops[k] == nil {
			continue
		}
		limit := within
		if limit == 0 {
			limit = p.link().opTimeout
		}
		timer := time.AfterFunc(limit, func() { p.link().ch.Cancel(ops[k], ErrUnreachable) })
		defer timer.Stop()
	}
	over := ctx.Done()
	for n := 0; n < len(s.homes); {
		select {
		case <-ended:
			n++
		case <-over:
			over = nil
			for k, p := range s.homes {
				if ops[k] != nil {
					p.link().ch.Cancel(ops[k], fault.Cancelled(ctx))
				}
			}
		}
	}
	for k, op := range ops {
		switch {
		case op == nil:
		case op.Err != nil:
			v.err = op.Err
		default:
			v.ready[k], v.times[k] = op.Ready, op.Times
		}
	}
	return v
}

// attempt tries to have a case that v found ready take effect. ok says that the turn
// is over.
func (s *wideSelect) attempt(ctx context.Context, v *view, first bool) (i int, ok bool, err error) {
	if first {
		return s.attemptInOrder(ctx)
	}
	weights := slices.Clone(v.ready)
	for k := draw(weights); k >= 0; k = draw(weights) {
		weights[k] = 0
		if k == len(s.homes) {
			i, ok, err = s.local.TryNow(ctx, s.header, false, s.besideDefault())
		} else {
			i, ok, err = s.homes[k].try(ctx, s.homes[k].on(), false)
		}
		if ok {
			return i, true, err
		}
	}
	return -1, false, nil
}

// besideDefault reports whether this turn has a Default.
func (s *wideSelect) besideDefault() bool { return s.fallback >= 0 && !s.off[s.fallback] }

// attemptInOrder tries the cases in order: those that follow each other and are
// decided in one place together.
func (s *wideSelect) attemptInOrder(ctx context.Context) (i int, ok bool, err error) {
	for i := 0; i < len(s.cases); {
		p := s.partyOf(i)
		var run []int
		for ; i < len(s.cases) && s.partyOf(i) == p; i++ {
			if !s.off[i] {
				run = append(run, i)
			}
		}
		switch {
		case len(run) == 0:
			continue
		case p == nil:
			i, ok, err := s.tryHere(ctx, run)
			if ok {
				return i, true, err
			}
		default:
			i, ok, err := p.try(ctx, run, true)
			if ok {
				return i, true, err
			}
		}
	}
	return -1, false, nil
}

// tryHere tries the cases of run, which are of this process, and no others.
func (s *wideSelect) tryHere(ctx context.Context, run []int) (int, bool, error) {
	for _, i := range s.here {
		s.local.Enable(i, slices.Contains(run, i))
	}
	defer func() {
		for _, i := range s.here {
			s.local.Enable(i, !s.off[i])
		}
	}()
	return s.local.TryNow(ctx, s.header, true, s.besideDefault())
}

// partyOf returns the home of case i, or nil for this process.
func (s *wideSelect) partyOf(i int) *party {
	for _, p := range s.homes {
		if slices.Contains(p.index, i) {
			return p
		}
	}
	return nil
}

// draw returns the index of one of weights, with a chance in its proportion, or -1
// if all are zero.
func draw(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	if sum == 0 {
		return -1
	}
	n := rand.IntN(sum)
	for k, w := range weights {
		if n -= w; n < 0 {
			return k
		}
	}
	return -1
}
