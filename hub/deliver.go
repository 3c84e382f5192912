package hub

import (
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// delivering is how an attachment's values go out: in the order in which they were
// received, and so many with one write that other channels have their share of it. The
// attachment's mu guards it.
type delivering struct {
	share  wire.Share
	gone   bool       // nothing is delivered any more
	late   []delivery // wait for the next write
	hungry bool       // it is among those of the session
}

// delivery is what is still to be sent of what an operation received.
type delivery struct {
	o     *op
	items []driver.Item
}

// deliver sends items, which o received, now or when others have had their share.
func (a *attachment) deliver(o *op, items []driver.Item) {
	a.mu.Lock()
	gone := a.gone
	if !gone {
		a.late = append(a.late, delivery{o, items})
		a.deliverLate()
	}
	a.mu.Unlock()
	if gone {
		a.s.answer(&wire.End{Channel: a.id, Op: o.id}, fault.ErrDetached)
		return
	}
	a.s.out.Flush()
}

// deliverLate sends of what is late what there is room for. mu is held.
func (a *attachment) deliverLate() {
	for len(a.late) > 0 {
		d := &a.late[0]
		if a.ops[d.o.id] != d.o { // it was cancelled: the values went back, and the client waits for a word
			end := wire.End{Channel: a.id, Op: d.o.id, Code: wire.CodeCancelled}
			a.s.out.End(end.Append(a.s.out.Begin()), false)
		} else {
			frame, rest := a.frame(d)
			if !a.hasRoom(frame.Length()) {
				return
			}
			a.share.Add(a.s.out, frame.Length())
			a.s.out.End(frame.Append(a.s.out.Begin()), false)
			if d.items = rest; len(rest) > 0 {
				continue
			}
		}
		a.late[0] = delivery{}
		a.late = a.late[1:]
	}
	a.late = nil
}

// dropLate has nothing be delivered any more: the attachment ends, and what its client has not seen
// has gone back. The client hears so.
func (a *attachment) dropLate() {
	a.mu.Lock()
	late := a.late
	a.late, a.gone = nil, true
	a.mu.Unlock()
	for _, d := range late {
		a.s.answer(&wire.End{Channel: a.id, Op: d.o.id}, fault.ErrDetached)
	}
}

// hasRoom reports whether a may add n bytes; else refill will call. mu is held.
func (a *attachment) hasRoom(n int) bool {
	if a.share.Room(a.s.out, n) {
		return true
	}
	if !a.hungry {
		a.hungry = true
		a.s.starving.add(a)
	}
	return a.share.Room(a.s.out, n) // refill may have come before a was known
}

// frame is the next of d, and what is behind it.
func (a *attachment) frame(d *delivery) (f wire.Deliver, rest []driver.Item) {
	size, n := 0, 0
	for n < len(d.items) {
		size += wire.DeliverLength(&d.items[n])
		if n > 0 && size > a.s.chunk {
			break
		}
		n++
	}
	f = wire.Deliver{Channel: a.id, Op: d.o.id, Items: d.items[:n]}
	if rest = d.items[n:]; len(rest) > 0 {
		f.Flags = wire.FlagMore
	}
	return f, rest
}

// starving are the attachments that wait for the next write, in the order they began to.
type starving struct {
	mu  sync.Mutex // guards all; it is the last to be locked
	all []*attachment
}

func (w *starving) add(a *attachment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, a)
}

// refill has those who waited for the next write go on. It is called by who writes.
func (w *starving) refill() {
	w.mu.Lock()
	all := w.all
	w.all = nil
	w.mu.Unlock()
	for _, a := range all {
		a.mu.Lock()
		a.hungry = false
		a.deliverLate()
		a.mu.Unlock()
	}
}
