package engine

import (
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
)

// Hold is the right to settle one delivery. The zero Hold is settled.
type Hold[T any] struct {
	c   *Chan[T]
	p   *parcel[T]
	gen uint64
}

// mine returns why the holder may not settle p, if he may not. The lock is held.
//
//go:norace
func (h Hold[T]) mine() error {
	p := h.p
	if p.gen != h.gen || p.where != inHand && p.where != orphaned {
		return fault.ErrSettled
	}
	return nil
}

// lock takes the lock of the channel, or refuses a settlement.
//
//go:norace
func (h Hold[T]) lock() error {
	if h.c == nil {
		return fault.ErrSettled
	}
	h.c.mu.Lock()
	if err := h.mine(); err != nil {
		h.c.mu.Unlock()
		return err
	}
	return nil
}

// Done confirms the value. Its slot is free, or its sender returns.
//
//go:norace
func (h Hold[T]) Done() error {
	if err := h.lock(); err != nil {
		return err
	}
	var o after[T]
	h.done(&o)
	h.c.unlock(&o)
	return nil
}

// done is Done with the lock held.
//
//go:norace
func (h Hold[T]) done(o *after[T]) {
	c, p := h.c, h.p
	c.held.remove(p)
	if p.where == orphaned {
		c.rcvd++
		c.orphans++
		c.scrap(p)
	} else {
		c.confirm(p, o)
	}
}

// DoneAll confirms the values of holds of one channel, those that are not settled.
//
//go:norace
func DoneAll[T any](holds []Hold[T]) {
	if len(holds) == 0 {
		return
	}
	var o after[T]
	c := holds[0].c
	c.mu.Lock()
	for _, h := range holds {
		if h.mine() == nil {
			h.done(&o)
		}
	}
	c.unlock(&o)
}

// confirm ends the custody of the channel over p, which is in no list but bare.
//
//go:norace
func (c *Chan[T]) confirm(p *parcel[T], o *after[T]) {
	c.rcvd++
	w, slot := p.sender, p.slot
	c.scrap(p)
	if slot {
		hb.Release(&c.used) // partner: a send that needs the slot
		c.freeSlot(o)
		return
	}
	c.sentOne(w, o)
}

// freeSlot frees a slot and gives it to the oldest value without one. When the
// last value of a closed channel is gone, its receivers learn it.
//
//go:norace
func (c *Chan[T]) freeSlot(o *after[T]) {
	c.used--
	c.slotsFreed(o)
}

// slotsFreed gives what became free to who waits for it.
//
//go:norace
func (c *Chan[T]) slotsFreed(o *after[T]) {
	if c.bare.head != nil || c.sendq.head != nil {
		c.promote(o)
	}
	if c.closed && c.used == 0 && c.recvq.head != nil {
		c.serve(o)
	}
}

// Return gives the value back to its place, ready again after delay. A value
// whose attempts are exhausted is rejected instead.
//
//go:norace
func (h Hold[T]) Return(delay time.Duration) error {
	if err := h.lock(); err != nil {
		return err
	}
	c, p := h.c, h.p
	if p.where == orphaned {
		c.free()
		return fault.ErrAbandoned
	}
	if c.exhausted(p) {
		return c.reject(p, exhausted)
	}
	var o after[T]
	c.held.remove(p)
	c.giveBack(p, delay, &o)
	c.unlock(&o)
	return nil
}

// Heard says that the holder elsewhere has the value in hand. A sender that
// wanted to give up meanwhile does it now.
//
//go:norace
func (h Hold[T]) Heard() error {
	if err := h.lock(); err != nil {
		return err
	}
	var o after[T]
	c, p := h.c, h.p
	p.unheard = false
	if w := p.sender; w != nil {
		w.chosen() // its case is
		if w.leaves {
			c.orphan(p, &o)
			w.err = fault.Doubtful(w.err)
			w.finish(&o)
		}
	}
	c.unlock(&o)
	return nil
}

// ReturnUnseen gives back a value that no receiver saw: its attempt is not
// raised, and it was no hand-out.
//
//go:norace
func (h Hold[T]) ReturnUnseen() error {
	if err := h.lock(); err != nil {
		return err
	}
	var o after[T]
	c, p := h.c, h.p
	if p.where == orphaned {
		c.loseHolder(p, "its sender left, and its receiver gave up before it came")
		return nil
	}
	if p.attempt > 1 {
		c.redeliveries--
	}
	p.attempt--
	c.held.remove(p)
	switch w := p.sender; {
	case w == nil || w.leaves || !w.again && !w.try:
		c.giveBack(p, 0, &o)
	case w.again:
		p.stopTimer()
		hb.Release(p)
		c.sendHome(p, errUnready, &o)
	default:
		hb.Release(p)
		c.scrap(p)
		c.triesOn(w, &o)
	}
	c.unlock(&o)
	return nil
}

const exhausted = "attempts exhausted"

//go:norace
func (c *Chan[T]) exhausted(p *parcel[T]) bool {
	return c.cfg.MaxAttempts > 0 && p.attempt >= c.cfg.MaxAttempts
}

// giveBack puts p, just taken out of held, into its place. A value without a
// slot goes home if the channel is closed: nobody may see it any more.
//
//go:norace
func (c *Chan[T]) giveBack(p *parcel[T], delay time.Duration, o *after[T]) {
	hb.Release(p) // partner: the next hand-out
	p.stopTimer()
	p.gen++
	p.holder = nil
	if !p.slot && p.sender.leaves {
		c.sendHome(p, p.sender.err, o)
		return
	}
	if !p.slot && p.sender.try {
		c.sendHome(p, errUnready, o)
		return
	}
	if c.closed && !p.slot {
		c.sendHome(p, fault.ErrClosed, o)
		return
	}
	if delay > 0 {
		c.rest(p, delay)
		return
	}
	p.where = inBack
	c.back.add(p)
	c.serve(o)
}

// sendHome gives the value of p, which has no slot, back to its sender.
//
//go:norace
func (c *Chan[T]) sendHome(p *parcel[T], err error, o *after[T]) {
	w := p.sender
	c.scrap(p)
	w.err = err
	w.finish(o)
}

// rest keeps p in its place, not ready before delay is over.
//
//go:norace
func (c *Chan[T]) rest(p *parcel[T], delay time.Duration) {
	p.where = resting
	c.rests.add(p)
	gen := p.gen
	p.timer = time.AfterFunc(delay, func() { c.rested(p, gen) })
}

// rested makes p ready again.
//
//go:norace
func (c *Chan[T]) rested(p *parcel[T], gen uint64) {
	var o after[T]
	c.mu.Lock()
	if p.gen == gen && p.where == resting {
		c.rests.remove(p)
		p.timer = nil
		p.where = inBack
		c.back.add(p)
		c.serve(&o)
	}
	c.unlock(&o)
}

// Reject refuses the value. A sender that still waits gets ErrRejected with the
// reason; a value in a slot goes to the dead letter, or is dropped with an event
// where there is none.
//
//go:norace
func (h Hold[T]) Reject(reason string) error {
	if err := h.lock(); err != nil {
		return err
	}
	return h.c.reject(h.p, reason)
}

// reject is Reject with the lock held and p in hand; it frees the lock.
//
//go:norace
func (c *Chan[T]) reject(p *parcel[T], reason string) error {
	var o after[T]
	if p.sender != nil {
		c.held.remove(p)
		c.refused(p, reason, &o)
		c.sendHome(p, fault.Because(fault.ErrRejected, "%s", reason), &o)
		c.unlock(&o)
		return nil
	}
	if c.dead == nil && p.where == orphaned {
		c.free()
		return fault.ErrAbandoned
	}
	return c.bury(p, reason)
}

//go:norace
func (c *Chan[T]) refused(p *parcel[T], reason string, o *after[T]) {
	c.rejections++
	c.tell(o, event.Event{Kind: event.Rejected, Op: "reject", Reason: reason, Attempt: p.attempt})
}

// bury hands p, in hand and without a waiting sender, to the dead letter and
// then ends it. The lock is held and is given up: the dead letter is another
// channel, possibly on another medium. While it is asked, p is settling and
// nobody else may settle it. If it has no room the hold is as it was.
//
//go:norace
func (c *Chan[T]) bury(p *parcel[T], reason string) error {
	was := p.where
	p.where = settling
	v, attempt := p.val, p.attempt
	c.free()

	var err error
	if c.dead != nil {
		err = c.dead(v, reason, attempt)
	}

	var o after[T]
	c.mu.Lock()
	if err != nil {
		p.where = was
		if p.lapsed {
			p.lapsed = false
			c.loseHolder(p, "the hold ended while its value was being rejected")
			return fault.ErrSettled
		}
		c.free()
		return err
	}
	c.held.remove(p)
	c.refused(p, reason, &o)
	kind := event.DeadLetter
	if c.dead == nil {
		kind = event.Dropped
	}
	c.tell(&o, event.Event{Kind: kind, Op: "reject", Reason: reason, Attempt: attempt})
	slot := p.slot
	c.scrap(p)
	if slot {
		c.buried++
		c.freeSlot(&o)
	}
	c.unlock(&o)
	return nil
}

// Extend lets the hold last d from now, or MaxHold from now if d is not
// positive. A hold without bound stays so.
//
//go:norace
func (h Hold[T]) Extend(d time.Duration) error {
	if err := h.lock(); err != nil {
		return err
	}
	c, p := h.c, h.p
	if p.timer != nil {
		if d <= 0 {
			d = c.cfg.MaxHold
		}
		p.stopTimer()
		c.startHold(p, d)
	}
	c.free()
	return nil
}

// lapse ends a hold whose time is over.
//
//go:norace
func (c *Chan[T]) lapse(p *parcel[T], gen uint64) {
	c.mu.Lock()
	if p.gen != gen || time.Now().Before(p.due) {
		c.free()
		return
	}
	if p.where == settling {
		p.lapsed = true
		c.free()
		return
	}
	if p.where != inHand && p.where != orphaned {
		c.free()
		return
	}
	c.loseHolder(p, "the hold lasted longer than MaxHold")
}

// loseHolder takes p out of the hands of a holder who will not settle it: its
// time is over, it detached or it died. The lock is held and is given up. A
// value whose sender gave up too goes to the dead letter, else it is lost with
// an event; one whose attempts are exhausted goes to the dead letter if that has
// room, else to its place.
//
//go:norace
func (c *Chan[T]) loseHolder(p *parcel[T], reason string) {
	p.stopTimer()
	p.holder = nil
	if p.where == orphaned || c.exhausted(p) {
		orphan := p.where == orphaned
		if orphan && c.dead == nil {
			c.forget(p, reason)
			return
		}
		gen := p.gen
		err := c.reject(p, reason)
		if err == nil {
			return
		}
		c.mu.Lock()
		if p.gen == gen && p.where == settling {
			p.lapsed = true // its holder rejects it meanwhile, and ends the hold either way
			c.free()
			return
		}
		if p.gen != gen {
			c.free()
			return
		}
		reason += "; dead letter: " + err.Error()
		if orphan {
			c.forget(p, reason)
			return
		}
	}
	var o after[T]
	c.held.remove(p)
	c.tell(&o, event.Event{Kind: event.Returned, Op: "take", Reason: reason, Attempt: p.attempt})
	if p.sender != nil {
		p.sender.chosen() // a holder that died may have seen it
	}
	c.giveBack(p, 0, &o)
	c.unlock(&o)
}

// forget ends an orphan that no dead letter took. The lock is held and is given
// up.
//
//go:norace
func (c *Chan[T]) forget(p *parcel[T], reason string) {
	var o after[T]
	c.held.remove(p)
	c.tell(&o, event.Event{Kind: event.Dropped, Op: "take", Reason: reason, Attempt: p.attempt})
	c.scrap(p)
	c.unlock(&o)
}

// orphan leaves p to its holder for good: its sender gave up.
//
//go:norace
func (c *Chan[T]) orphan(p *parcel[T], o *after[T]) {
	p.sender.parcel = nil
	p.sender = nil
	c.removeBare(p)
	p.where = orphaned
	c.tell(o, event.Event{Kind: event.Abandoned, Op: "send", Attempt: p.attempt})
}

// Live reports whether the hold goes on. It may while its value is being rejected,
// as the dead letter may refuse that.
//
//go:norace
func (h Hold[T]) Live() bool {
	if h.c == nil {
		return false
	}
	h.c.mu.Lock()
	live := h.mine() == nil || h.p.gen == h.gen && h.p.where == settling
	h.c.mu.Unlock()
	return live
}
