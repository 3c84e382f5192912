package engine

import (
	"context"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
)

// This file is one turn of a Select.

// Do chooses one ready case, waits if there is none, and runs it. With first,
// the first ready case in order is chosen, else any with equal chance.
//
//go:norace
func (s *Select) Do(ctx context.Context, h Header, first bool) (int, error) {
	i, parks, err := s.Begin(ctx, h, first)
	if parks {
		s.Park()
		i, err = s.End()
	}
	return i, err
}

// Begin is Do, but if it reports parks the caller must Park and then End the
// turn: see the short way of a plain operation.
//
//go:norace
func (s *Select) Begin(ctx context.Context, h Header, first bool) (i int, parks bool, err error) {
	if s.done = nil; ctx != background {
		if ctx.Err() != nil {
			return -1, false, fault.Cancelled(ctx)
		}
		s.done = ctx.Done() // not under a lock: it may be anybody's code
	}
	for _, l := range s.senders {
		l.begin(s, h)
	}
	s.arrange(first)
	i, v := -1, unready
	if !first && !s.mixed && s.guess[s.past&3] > 0 {
		i, v = s.probe()
	}
	if v == unready {
		i, v = s.decide(first)
	}
	s.learn(v == committed && s.lockOf[i] >= 0)
	if v == committed {
		i, err = s.run(i, nil)
		return i, false, err
	}
	if s.atDoor && len(s.foreigns) == 0 {
		if !s.ended() {
			return -1, true, nil
		}
		i, err = s.heard() // its ring may have met the Calm of the turn before
	} else {
		i, err = s.wait(ctx, v == pending)
	}
	s.leave(i)
	if s.keen {
		s.ask(ctx)
	}
	i, err = s.run(i, err)
	return i, false, err
}

// Park waits at the door.
//
//go:norace
func (s *Select) Park() { s.door.Wait() }

// End ends a turn that was parked.
//
//go:norace
func (s *Select) End() (int, error) {
	i, err := s.heard()
	s.leave(i)
	return s.run(i, err)
}

// run ends the turn for case i, or with err for none: what the others offered is
// forgotten, and the callback is run.
//
//go:norace
func (s *Select) run(i int, err error) (int, error) {
	s.clear(i)
	if i >= 0 {
		if e := s.cases[i].finish(); e != nil {
			err = e
		}
	}
	return i, err
}

// learn keeps what turns like this one came to, so that the next one knows
// whether to probe: likeness is what the two turns before came to.
//
//go:norace
func (s *Select) learn(ready bool) {
	g := &s.guess[s.past&3]
	s.past <<= 1
	if ready {
		s.past |= 1
		*g = min(*g+1, 2)
	} else {
		*g = max(*g-1, -1)
	}
}

// probe tries the cases one after the other, in any order with equal chance, each
// under the lock of its channel alone and only if it looks ready from outside: so
// a ready case is found without touching the locks of those that are not, such as
// a channel of many selects that tells the end. That is no look at one moment, and
// none is needed: each case that is passed over was not ready when its turn came.
// Only a select whose cases are all on channels of this engine may do it: what is
// ready elsewhere would never be chosen.
//
//go:norace
func (s *Select) probe() (int, verdict) {
	for k := range s.order {
		s.draw(k)
		i := s.order[k]
		if l := s.ours[i]; l != nil && l.hints() {
			if v := l.probe(s); v != unready {
				return int(i), v
			}
		}
	}
	return -1, unready
}

// decide looks at all cases at one moment. If none is ready they are put into
// their queues.
//
//go:norace
func (s *Select) decide(first bool) (int, verdict) {
	s.lockAll()
	i, v := -1, unready
	if s.hinted() {
		i, v = s.look(first)
	}
	if v == unready && s.hasDefault() {
		if len(s.natives) > 0 {
			i, v = s.lookNative()
		}
		if v == unready {
			i, v = s.fallback.i, committed
		}
	}
	if v == committed {
		s.unlockFor(i)
		return i, v
	}
	s.prepareWait()
	if v == unready {
		s.enqueue()
	} else {
		s.unlockAll()
	}
	return i, v
}

// arrange fixes which cases are looked at. With first they are in order; else
// look draws one after the other.
//
//go:norace
func (s *Select) arrange(first bool) {
	if s.settled && (s.natural || !first) {
		return
	}
	s.settled, s.natural = true, true
	s.order = s.order[:0]
	for i, a := range s.cases {
		if a != nil && !s.off[i] && !isDefault(a) {
			s.order = append(s.order, int32(i))
		}
	}
}

// draw puts any of the cases from place k on into place k.
//
//go:norace
func (s *Select) draw(k int) {
	if n := len(s.order) - k; n > 1 {
		j := k + s.roll(n)
		s.order[k], s.order[j] = s.order[j], s.order[k]
		s.natural = false
	}
}

// roll returns a random number below n, from the upper half of a linear
// congruential generator: any of the shared ones costs more than a whole case.
//
//go:norace
func (s *Select) roll(n int) int {
	s.dice = s.dice*6364136223846793005 + 1442695040888963407
	return int(s.dice >> 32 * uint64(n) >> 32)
}

//go:norace
func isDefault(a armed) bool {
	_, ok := a.(*defaultCase)
	return ok
}

// look tries each case once. All channels are locked, so what it sees of them is
// one moment.
//
//go:norace
func (s *Select) look(first bool) (int, verdict) {
	for k := range s.order {
		if !first {
			s.draw(k)
		}
		i := s.order[k]
		if v := s.cases[i].try(s); v != unready {
			return int(i), v
		}
	}
	return -1, unready
}

// hinted reports whether a look is needed: it may find something, or puts cases on
// one channel into any order. With every lock held what the channels hint at is
// exact where it says no.
//
//go:norace
func (s *Select) hinted() bool {
	if len(s.chans) < len(s.order) || len(s.locks) < len(s.chans) {
		return true
	}
	for _, l := range s.chans {
		if l.hints() {
			return true
		}
	}
	return false
}

//go:norace
func (s *Select) lockAll() {
	if hb.On {
		hb.Ignore()
	}
	for _, w := range s.words {
		if !w.CompareAndSwap(0, 1) {
			contend(w)
		}
	}
	if hb.On {
		hb.Heed()
	}
}

//go:norace
func (s *Select) unlockAll() {
	for _, l := range s.locks {
		l.unlock()
	}
	s.flush()
}

// unlockFor is unlockAll where no channel changed but the one of case i, if it
// is on one. A case that was tried in vain may have dropped waiters that were
// dead: then the mode of its channel says that somebody waits where nobody does,
// and whoever goes by it finds out.
//
//go:norace
func (s *Select) unlockFor(i int) {
	if hb.On {
		hb.Ignore()
	}
	changed := int(s.lockOf[i])
	for k, w := range s.words {
		if k != changed {
			park.Store(w, 0)
		}
	}
	if hb.On {
		hb.Heed()
	}
	if changed >= 0 {
		s.locks[changed].unlock()
	}
	switch {
	case s.stirred:
		s.flush()
	case changed >= 0:
		s.ours[i].flush()
	}
}

//go:norace
func (s *Select) flush() {
	s.stirred = false
	for _, l := range s.chans {
		l.flush()
	}
}

// enqueue puts the cases into their queues and frees the channels. Each may be
// free before the next one is, since the look is over: whoever completes a case
// in between finds its select like any other whose other cases are dead.
//
//go:norace
func (s *Select) enqueue() {
	if len(s.locks) == len(s.chans) {
		for _, l := range s.chans {
			l.enter()
		}
	} else {
		s.inOrder(lockable.enqueue)
		for _, l := range s.locks {
			l.unlock()
		}
	}
	if s.stirred {
		s.flush()
	}
}

// inOrder calls do for the cases on channels in the order in which they were
// looked at: of several on one channel any may stand first in its queue.
//
//go:norace
func (s *Select) inOrder(do func(lockable)) {
	for _, i := range s.order {
		if l := s.ours[i]; l != nil {
			do(l)
		}
	}
}

// clear forgets what the losing cases offered.
//
//go:norace
func (s *Select) clear(chosen int) {
	if len(s.senders) == 0 {
		return
	}
	for _, l := range s.senders {
		if l.index() != chosen {
			l.clear()
		}
	}
}

// prepareWait gives the ticket what it needs to wait. The channels are locked, or
// the only one where somebody has the ticket.
// Without a channel of ours and without another medium nobody can ring.
//
//go:norace
func (s *Select) prepareWait() {
	s.atDoor = false
	if len(s.locks) == 0 && len(s.foreigns) == 0 {
		return
	}
	if park.Fast && !s.inside && len(s.locks) > 0 && len(s.natives) == 0 && len(s.timers) == 0 && s.watched() {
		s.atDoor = true
		s.tk.SetDoor(&s.door)
		return
	}
	if s.bell == nil {
		s.bell, s.fates[park.Bell] = s.wakeChannel(park.Bell)
	}
	s.tk.SetBell(s.bell)
	if s.watchesNative() {
		if s.hand == nil {
			s.hand, s.fates[park.Hand] = s.wakeChannel(park.Hand)
		}
		s.tk.SetHand(s.hand)
	}
}

// wakeChannel is park.New. Where no channel of ours says on which side of a
// bubble this select lives, it lives where it is used, for this turn.
//
//go:norace
func (s *Select) wakeChannel(kind park.Kind) (chan struct{}, park.Fate) {
	c, fate := park.New(kind, s.home)
	if len(s.locks) == 0 {
		fate = park.Drop
	}
	return c, fate
}

//go:norace
func (s *Select) watchesNative() bool {
	for _, n := range s.natives {
		if !s.off[n.index()] {
			return true
		}
	}
	return false
}

// leave ends a turn that waited: nothing of it stays behind in any queue, and the
// ticket is ready for the next. Whoever completed the chosen case took it out of
// its own.
//
//go:norace
func (s *Select) leave(chosen int) {
	for i, l := range s.ours {
		if l != nil && i != chosen {
			l.leave()
		}
	}
	s.withdraw()
	if s.atDoor {
		s.door.Calm()
		s.tk.Reset()
		return
	}
	select { // a release may have rung for a turn that ended otherwise
	case <-s.bell:
	default:
	}
	s.bell = s.keep(park.Bell, s.bell)
	s.hand = s.keep(park.Hand, s.hand)
	s.tk.Reset()
}

// keep returns c if the next turn may use it.
//
//go:norace
func (s *Select) keep(kind park.Kind, c chan struct{}) chan struct{} {
	fate := s.fates[kind]
	if c == nil || fate == park.Keep {
		return c
	}
	if fate == park.Lent && !s.tk.Released() {
		park.Return(kind, c) // after a release a late ring may still come to it
	}
	s.fates[kind] = park.Keep
	return nil
}
