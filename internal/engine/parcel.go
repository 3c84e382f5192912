package engine

import (
	"time"
)

// place says where a parcel is.
type place uint8

const (
	unused   place = iota // in the idle list
	inHand                // with a holder
	inBack                // given back and ready
	resting               // given back, not ready before a time
	settling              // with a holder who is refusing it; the dead letter is being asked
	orphaned              // with a holder, its sender gave up: the holder's for good
)

// parcel is a value that was handed out and not confirmed. The lock of its
// channel guards it. A parcel is reused; gen tells the deliveries apart.
type parcel[T any] struct {
	next, prev   *parcel[T] // in held or back
	onext, oprev *parcel[T] // in bare
	val          T
	header       Header
	gen          uint64     // raised at every hand-out and at every end of one
	seq          uint64     // place in the send order
	attempt      int        // of the present or last hand-out
	sender       *waiter[T] // waits for the settlement; nil if the parcel has a slot
	holder       *Attach
	where        place
	slot         bool
	unheard      bool        // on its way: whether its holder has it is not known yet
	lapsed       bool        // its time ran out while it was settling
	timer        *time.Timer // of the hold, or of the rest; nil when there is none
	due          time.Time   // when the hold lapses
}

// parcels is a list of parcels in ascending seq, linked by next and prev.
type parcels[T any] struct {
	head, tail *parcel[T]
	len        int
}

// add puts p into its place; a parcel given back is nearly always the newest or
// the oldest, so it is looked for from the end.
//
//go:norace
func (l *parcels[T]) add(p *parcel[T]) {
	at := l.tail
	for at != nil && at.seq > p.seq {
		at = at.prev
	}
	p.prev = at
	if at == nil {
		p.next, l.head = l.head, p
	} else {
		p.next, at.next = at.next, p
	}
	if p.next == nil {
		l.tail = p
	} else {
		p.next.prev = p
	}
	l.len++
}

//go:norace
func (l *parcels[T]) remove(p *parcel[T]) {
	if p.prev == nil {
		l.head = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.tail = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.next, p.prev = nil, nil
	l.len--
}

// addBare and removeBare keep the list of parcels without a slot, linked by
// onext and oprev. New ones are always the newest.
//
//go:norace
func (c *Chan[T]) addBare(p *parcel[T]) {
	l := &c.bare
	p.oprev = l.tail
	if l.tail == nil {
		l.head = p
	} else {
		l.tail.onext = p
	}
	l.tail = p
	l.len++
}

//go:norace
func (c *Chan[T]) removeBare(p *parcel[T]) {
	l := &c.bare
	if p.oprev == nil {
		l.head = p.onext
	} else {
		p.oprev.onext = p.onext
	}
	if p.onext == nil {
		l.tail = p.oprev
	} else {
		p.onext.oprev = p.oprev
	}
	p.onext, p.oprev = nil, nil
	l.len--
}

// wrap makes a parcel of a value that is handed out for the first time. sender
// is nil if the value has a slot.
//
//go:norace
func (c *Chan[T]) wrap(v T, h Header, sender *waiter[T]) *parcel[T] {
	p := c.idleParcels
	if p == nil {
		p = &parcel[T]{}
	} else {
		c.idleParcels, p.next = p.next, nil
	}
	c.seq++
	p.val, p.header, p.seq, p.attempt = v, h, c.seq, 0
	p.sender, p.slot = sender, sender == nil
	if sender != nil {
		sender.widen()
		sender.parcel, sender.simple = p, false
		c.addBare(p)
	}
	return p
}

// scrap ends a parcel: nothing remembers its value any more.
//
//go:norace
func (c *Chan[T]) scrap(p *parcel[T]) {
	var zero T
	p.stopTimer()
	if p.sender != nil {
		p.sender.parcel = nil
		p.sender = nil
		c.removeBare(p)
	}
	p.val, p.header, p.holder = zero, nil, nil
	p.gen++
	p.where, p.slot, p.lapsed = unused, false, false
	p.next = c.idleParcels
	c.idleParcels = p
}

//go:norace
func (p *parcel[T]) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}
