package toy

import (
	"cmp"
	"container/list"
	"maps"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// channel is one channel.
//
// Whenever the lock is free: the oldest values of line have the slots, as many as
// there are; nobody waits in takers while a value is ready for him; and a closed
// channel that nothing can come back to has no takers.
type channel struct {
	name  string
	cfg   driver.Config // as it was made
	slots int

	mu      sync.Mutex // guards the rest
	line    list.List  // of *value: sent and not confirmed, in the order of the sends
	senders list.List  // of *waiter: sends whose value has no slot
	takers  list.List  // of *waiter: receives without a value
	watch   list.List  // of *waiter: OpAwaitStop
	held    map[driver.Hold]*value
	ends    map[*attachment]bool
	used    int // slots with a value
	last    uint64
	closed  bool
	stopped bool
	reason  string // of the stop
	count   driver.Stats
	turned  []*waiter // batches whose turn it is
	served  []*waiter // receives that have a value and may take more

	ended []*driver.Op // to be finished, and told, once the lock is free
	told  []driver.Event
}

// value is one value from its send to its settlement.
type value struct {
	driver.Item
	elem *list.Element // in line, nil for one whose sender has given up on its holder
	from *waiter       // its sender, while that waits
	slot bool
	by   *attachment // who holds it, nil while it is ready
}

// do runs f under the lock, and afterwards what must not be run under it.
func (c *channel) do(f func()) {
	c.mu.Lock()
	f()
	ended, told := c.ended, c.told
	c.ended, c.told = nil, nil
	c.mu.Unlock()
	for _, e := range told {
		driver.Emit(e)
	}
	for _, op := range ended {
		op.Finish()
	}
}

// end has op end with err.
func (c *channel) end(op *driver.Op, err error) {
	op.Err = err
	c.ended = append(c.ended, op)
}

// tell tells what happened, of v if there is one.
func (c *channel) tell(kind driver.EventKind, op, reason string, v *value) {
	e := driver.Event{Kind: kind, Channel: c.called(), Op: op, Reason: reason}
	if v != nil {
		e.Attempt = v.Attempt
	}
	c.told = append(c.told, e)
}

// called is the name for events.
func (c *channel) called() string { return cmp.Or(c.cfg.Name, c.name) }

// wait lets w wait in l.
func (c *channel) wait(l *list.List, w *waiter) {
	w.op.Note, w.in, w.elem = w, l, l.PushBack(w)
}

// finish ends the waiter w.
func (c *channel) finish(w *waiter, err error) {
	w.in.Remove(w.elem)
	w.in = nil
	c.end(w.op, err)
}

// offer puts the next value of w at the end of the line.
func (c *channel) offer(w *waiter) {
	w.v = &value{Item: w.op.Items[w.op.N], from: w}
	w.v.Value, w.v.Header = append([]byte{}, w.v.Value...), maps.Clone(w.v.Header) // they may outlive the operation
	w.v.elem = c.line.PushBack(w.v)
}

// move does all that can be done now. Everything that changes the channel ends
// with it, so that a waiter is completed by the operation that unblocks it.
func (c *channel) move() {
	for c.fillSlots() || c.handOut() {
	}
	c.topUp()
	if c.closed && c.used == 0 {
		for e := c.takers.Front(); e != nil; e = c.takers.Front() {
			c.finish(e.Value.(*waiter), driver.ErrClosed)
		}
	}
}

// fillSlots gives the free slots to the oldest values without one, whose senders
// go on.
func (c *channel) fillSlots() (done bool) {
	for e := c.line.Front(); e != nil && c.used < c.slots; e = e.Next() {
		if v := e.Value.(*value); !v.slot {
			v.slot = true
			c.used++
			c.left(v)
			done = true
		}
	}
	if done {
		c.queueAgain()
	}
	return done
}

// queueAgain ends the turn of the batches that have passed values: what they
// have left waits behind all others.
func (c *channel) queueAgain() {
	for _, w := range c.turned {
		if w.in != nil {
			c.line.MoveToBack(w.v.elem)
		}
	}
	c.turned = nil
}

// left notes that v has left the custody of its sender, if that still waits. A
// batch offers its next value in the place of v, for what fits in its turn.
func (c *channel) left(v *value) {
	w := v.from
	if v.from = nil; w == nil {
		return
	}
	c.count.Sent++
	if w.op.N++; w.op.N == len(w.op.Items) {
		c.finish(w, nil)
		return
	}
	c.offer(w)
	c.line.MoveAfter(w.v.elem, v.elem)
	c.turned = append(c.turned, w)
}

// ready returns the first value that nobody holds.
func (c *channel) ready() *value {
	for e := c.line.Front(); e != nil; e = e.Next() {
		if v := e.Value.(*value); v.by == nil {
			return v
		}
	}
	return nil
}

// handOut gives the first receiver the first value that is ready, if they are
// there. One that takes more has the rest when everybody has had one.
func (c *channel) handOut() bool {
	e, v := c.takers.Front(), c.ready()
	if e == nil || v == nil {
		return false
	}
	w := e.Value.(*waiter)
	c.give(w, v)
	c.takers.Remove(e)
	c.served = append(c.served, w)
	return true
}

// topUp gives those who were served as much more as they take of what is there.
func (c *channel) topUp() {
	for _, w := range c.served {
		for v := c.ready(); v != nil && len(w.op.Got) < w.op.Max; v = c.ready() {
			c.give(w, v)
			c.fillSlots()
		}
		w.in = nil
		c.end(w.op, nil)
	}
	c.served = nil
	c.queueAgain()
}

// give hands v to w: for good, or to be held.
func (c *channel) give(w *waiter, v *value) {
	if v.Attempt++; v.Attempt > 1 {
		c.count.Redelivered++
		c.tell(driver.EventRedelivered, "recv", "", v)
	}
	if w.op.Kind == driver.OpTake {
		c.last++
		v.by, v.Hold = w.at, driver.Hold{ID: c.last}
		c.held[v.Hold] = v
	}
	w.op.Got = append(w.op.Got, v.Item)
	if w.op.Kind == driver.OpRecv {
		c.confirm(v)
	}
}

// confirm ends v: it has arrived.
func (c *channel) confirm(v *value) {
	c.count.Received++
	c.left(v)
	c.remove(v)
}

// remove takes v out of the line and frees its slot.
func (c *channel) remove(v *value) {
	delete(c.held, v.Hold)
	if v.elem != nil {
		c.line.Remove(v.elem)
		v.elem = nil
	}
	if v.slot {
		v.slot = false
		c.used--
	}
}

// putBack offers v, which was held, again in its place. Without a slot and after
// close it goes home instead.
func (c *channel) putBack(v *value) {
	delete(c.held, v.Hold)
	v.by, v.Hold = nil, driver.Hold{}
	if c.closed && !v.slot {
		c.remove(v)
		c.finish(v.from, driver.ErrClosed)
	}
}

func (c *channel) stats() driver.Stats {
	s := c.count
	s.Slots, s.Held, s.Closed, s.Stopped, s.AsOf = c.slots, len(c.held), c.closed, c.stopped, time.Now()
	for e := c.line.Front(); e != nil; e = e.Next() {
		if v := e.Value.(*value); v.slot && v.by == nil {
			s.Len++
		}
	}
	s.SendersWaiting, s.ReceiversWaiting = c.senders.Len(), c.takers.Len()
	s.Senders, s.Receivers = c.rights()
	return s
}

// rights counts the attachments that may send, and those that may receive.
func (c *channel) rights() (senders, receivers int) {
	for a := range c.ends {
		if a.sends {
			senders++
		}
		if a.receives {
			receivers++
		}
	}
	return senders, receivers
}
