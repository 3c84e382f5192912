// Package engine is the channel inside one process: typed, exact, and without a
// goroutine of its own.
//
// # State
//
// A value that was accepted and not yet confirmed is in one of these places, in
// the order of its send:
//
//	back    handed out once and given back; ready again
//	ring    in a slot, never handed out
//	sendq   with its blocked sender, offered, no slot
//	(held)  handed out and not settled
//
// Values are handed out in order, so everything in back is older than everything
// in the ring, and that is older than everything in sendq. Values handed out
// without being confirmed have a parcel each; parcels that hold no slot, because
// their sender still waits, stand in bare.
//
// # Invariants, whenever the lock is free
//
//   - used = values in the ring + parcels that hold a slot; used <= slots.
//   - A value without a slot exists only if used == slots: the oldest unconfirmed
//     values have the slots. (A ticket claimed by a home may be passed over; its
//     owner looks again at the release. The same holds for the next two.)
//   - A receiver waits only if nothing is ready for it.
//   - sendq and recvq are not both occupied, except by two cases of one select.
//   - Closed is seen only when used == 0: nothing can come back.
//
// # Locking
//
// One short lock a channel guards everything in it. A select takes the locks of
// its channels in ascending order of Chan.id. Nothing is called, rung or
// allocated for a user under the lock; what must happen afterwards is collected
// in an after. A waiter is completed by the operation that unblocks it, under
// the lock, and only then woken.
package engine

import (
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
)

// Config is what a channel is made with.
type Config struct {
	Name        string
	Slots       int
	MaxHold     time.Duration // 0: holds are not bounded
	MaxAttempts int           // 0: not bounded
	// CloseWhenSendersGone closes the channel when its last sending attachment
	// is detached.
	CloseWhenSendersGone bool
}

// Dead is a sink for values that nobody could handle. It returns ErrFull when it
// has no room now, and another error when it cannot take the value at all.
type Dead[T any] func(v T, reason string, attempts int) error

// Chan is one channel. Make it with New; it must not be copied.
type Chan[T any] struct {
	mu lock[T] // guards everything below but the constants

	// What plain operations on slots touch, all in the first 64 bytes: between
	// two cores, every further cache line costs as much as the whole operation.

	mode mode // set by free
	head int
	n    int // values in the ring, from head on
	used int // slots in use
	buf  []T
	rcvd uint64 // values confirmed

	// What operations that wait touch besides, in the next 128.

	recvq queue[T]
	sendq queue[T]
	spare records[T]

	heads     *[]Header // beside buf, once a value with a header came by
	*extra[T]           // nil until the full way is taken; see lockWide
	closed    bool
	stopped   bool
	inside    bool // made inside a synctest bubble
	reference reference
	senders   int32 // attachments that may send
	takers    int32 // attachments that may receive

	// Constants.
	id    uint64
	slots int
	cfg   *Config
}

// extra is what a channel is spared until somebody holds a value, waits for a
// stop, or does anything else but plain operations: most channels never need it.
type extra[T any] struct {
	stopq queue[T]

	bare  parcels[T] // handed out, no slot, in send order; linked by order
	back  parcels[T] // given back and ready, in send order; linked by place
	held  parcels[T] // handed out and not settled; linked by place
	rests parcels[T] // given back, not ready yet; linked by place

	reason string // of the stop
	seq    uint64 // hand-outs so far; orders the parcels

	redeliveries uint64 // for Stats
	rejections   uint64
	buried       uint64 // values that left a slot unconfirmed
	orphans      uint64 // values confirmed whose sender had given up

	idleParcels *parcel[T]
	watches     *watches // nil until somebody waits under a context

	*courting[T] // nil until an offer or a look from afar comes

	// Constants.
	dead    Dead[T]
	created time.Time
	known   *Record // in a registry; nil if nobody asked
}

// lockWide takes the lock for the full way.
//
//go:norace
func (c *Chan[T]) lockWide() {
	c.mu.Lock()
	c.wide()
}

// wide makes what the full way needs. The lock is held.
//
//go:norace
func (c *Chan[T]) wide() {
	if c.extra == nil {
		c.extra = &extra[T]{}
	}
}

// plainly is the Config of a channel that was asked nothing but its slots.
var plainly Config

var lastID atomic.Uint64

// New makes a channel. cfg.Slots must not be negative. dead may be nil.
//
//go:norace
func New[T any](cfg Config, dead Dead[T]) *Chan[T] {
	c := &Chan[T]{}
	c.Init(cfg, dead)
	return c
}

// Init makes the zero Chan a channel.
//
//go:norace
func (c *Chan[T]) Init(cfg Config, dead Dead[T]) {
	c.id = lastID.Add(1)
	c.slots = cfg.Slots
	c.cfg = &plainly
	if cfg.Slots = 0; cfg != plainly {
		own := cfg // only what escapes is allocated
		c.cfg = &own
	}
	if dead != nil {
		c.wide()
		c.dead = dead
	}
	now := time.Now()
	c.inside = park.Bubbled(now)
	if c.slots > 0 {
		c.buf = make([]T, c.slots)
	}
	c.announce(now)
}

// Name returns the channel's name.
//
//go:norace
func (c *Chan[T]) Name() string { return c.cfg.Name }

// Slots returns the exact capacity.
//
//go:norace
func (c *Chan[T]) Slots() int { return int(c.slots) }

// Attach is one attachment: what one Make or Open returned. Everything in it is
// guarded by the lock of its channel.
type Attach struct {
	gone       bool
	send, recv bool
}

// Attach adds an attachment with the given rights.
//
//go:norace
func (c *Chan[T]) Attach(send, recv bool) *Attach {
	a := &Attach{}
	c.AttachTo(a, send, recv)
	return a
}

// AttachTo makes the zero Attach an attachment of c.
//
//go:norace
func (c *Chan[T]) AttachTo(a *Attach, send, recv bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.send, a.recv = send, recv
	if send {
		c.senders++
	}
	if recv {
		c.takers++
	}
}

// refuseSend says why a send cannot even begin.
//
//go:norace
func (c *Chan[T]) refuseSend(a *Attach) error {
	if a.gone {
		return fault.ErrDetached
	}
	if c.closed {
		hb.Acquire(&c.closed)
		return fault.ErrClosed
	}
	return nil
}

// Len returns the number of values in slots that are ready to be taken.
//
//go:norace
func (c *Chan[T]) Len() int {
	c.lockWide()
	defer c.mu.Unlock()
	return c.ready()
}

//go:norace
func (c *Chan[T]) ready() int {
	n := int(c.n)
	for p := c.back.head; p != nil; p = p.next {
		if p.slot {
			n++
		}
	}
	return n
}

// Stats returns the figures.
//
//go:norace
func (c *Chan[T]) Stats() driver.Stats {
	c.lockWide()
	defer c.mu.Unlock()
	return c.stats()
}

// stats is Stats with the lock held.
//
//go:norace
func (c *Chan[T]) stats() driver.Stats {
	return driver.Stats{
		Slots: int(c.slots), Len: c.ready(), Held: c.held.len + c.rests.len,
		SendersWaiting: c.sendq.live() + c.bare.len, ReceiversWaiting: c.recvq.live(),
		Senders: int(c.senders), Receivers: int(c.takers),
		// What left its sender was confirmed, has a slot, or was buried from one.
		Sent:        c.rcvd - c.orphans + uint64(c.used) + c.buried,
		Received:    c.rcvd,
		Redelivered: c.redeliveries, Rejected: c.rejections,
		Closed: c.closed, Stopped: c.stopped, Matching: c.matching(),
		AsOf: time.Now(),
	}
}

// after collects what must happen once the lock is free: wakes and events.
type after[T any] struct {
	first, last *waiter[T] // to be woken; they stand in no queue, and are linked by next
	freed       *waiter[T] // claimed tickets to be released, linked by rung
	events      []event.Event
	nudged      []*AsyncSelect // to look again
}

// empty reports whether nothing was collected.
//
//go:norace
func (o *after[T]) empty() bool {
	return o.first == nil && o.freed == nil && o.events == nil && o.nudged == nil
}

// wake has w rung once the lock is free.
//
//go:norace
func (o *after[T]) wake(w *waiter[T]) {
	w.next = nil
	if o.last == nil {
		o.first = w
	} else {
		o.last.next = w
	}
	o.last = w
}

// wakeFirst has w rung before those collected until now.
//
//go:norace
func (o *after[T]) wakeFirst(w *waiter[T]) {
	if o.last == nil {
		o.last = w
	}
	w.next, o.first = o.first, w
}

//go:norace
func (o *after[T]) nudge(x *AsyncSelect) { o.nudged = append(o.nudged, x) }

//go:norace
func (o *after[T]) tell(e event.Event) { o.events = append(o.events, e) }

// run does what was collected. The lock must be free. A record may be reused as
// soon as its ticket has rung, so the link is read before.
//
//go:norace
func (o *after[T]) run() {
	for w := o.freed; w != nil; {
		next := w.rung
		w.tk.Release()
		w = next
	}
	for w := o.first; w != nil; {
		next := w.next
		w.next = nil
		w.ring()
		w = next
	}
	for _, e := range o.events {
		event.Emit(e)
	}
	for _, n := range o.nudged {
		n.ring()
	}
}

// mode says how much of the state matters to a plain operation.
type mode uint8

const (
	calm      mode = iota // nothing but the ring
	receiving             // the ring is empty, and receivers wait
	sending               // no slot is free, and senders wait
	mixed                 // anything else: values given back or without a slot, closed, both sides
)

// free frees the lock after an operation that may have changed more than the
// ring.
//
//go:norace
func (c *Chan[T]) free() {
	switch {
	case c.closed || c.back.head != nil || c.bare.head != nil:
		c.mode = mixed
	case c.recvq.head != nil:
		c.mode = receiving
		if c.sendq.head != nil || c.n > 0 {
			c.mode = mixed
		}
	case c.sendq.head != nil:
		c.mode = sending
		if c.used < c.slots {
			c.mode = mixed
		}
	default:
		c.mode = calm
	}
	c.mu.Unlock()
}

// Remains returns how many values are in slots, held ones included.
//
//go:norace
func (c *Chan[T]) Remains() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// unlock frees the lock and then does what was collected.
//
//go:norace
func (c *Chan[T]) unlock(o *after[T]) {
	c.attend(o)
	c.free()
	if !o.empty() {
		o.run()
	}
}
