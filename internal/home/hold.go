package home

import (
	"maps"
	"slices"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// handed is what goes by the name of one hold: a value, or all those that one plain
// receive got.
type handed []engine.Hold[item]

// live reports whether any hold of h goes on.
func (h handed) live() bool {
	return slices.ContainsFunc(h, func(one engine.Hold[item]) bool { return one.Live() })
}

// hold remembers h under a name.
func (at *attachment) hold(h handed) driver.Hold {
	at.mu.Lock()
	defer at.mu.Unlock()
	if len(at.holds) >= max(at.sweep, minSweep) {
		at.forgetEnded()
	}
	at.lastID++
	name := driver.Hold{ID: at.lastID}
	at.holds[name] = h
	return name
}

// minSweep is how many holds are remembered before those are looked for that
// ended otherwise than by their holder.
const minSweep = 64

// forgetEnded forgets the holds that have lapsed: their holder may never settle
// them, and whoever tries is told the same. at.mu is held.
func (at *attachment) forgetEnded() {
	maps.DeleteFunc(at.holds, func(_ driver.Hold, h handed) bool { return !h.live() })
	at.sweep = 2 * len(at.holds)
}

// atOnce does what needs no waiting.
func (at *attachment) atOnce(op *driver.Op) error {
	switch op.Kind {
	case driver.OpClose:
		return at.ch.c.Close(&at.a)
	case driver.OpStop:
		return at.ch.c.Stop(&at.a, op.Reason)
	case driver.OpDone, driver.OpReturn, driver.OpReject, driver.OpExtend, driver.OpHeard:
		return at.settle(op)
	}
	return fault.ErrUnsupported
}

// settle ends or extends the hold op names. A hold goes on after ErrFull, and
// after being extended.
func (at *attachment) settle(op *driver.Op) error {
	at.mu.Lock()
	h, ok := at.holds[op.Hold]
	at.mu.Unlock()
	if !ok {
		return fault.ErrSettled
	}
	err := h.settle(op)
	if op.Kind == driver.OpDone || !h.live() {
		at.mu.Lock()
		delete(at.holds, op.Hold)
		at.mu.Unlock()
	}
	return err
}

// settle does what op says to all of h, of which one error is told.
func (h handed) settle(op *driver.Op) (err error) {
	if op.Kind == driver.OpDone && len(h) > 1 {
		engine.DoneAll(h)
		return nil
	}
	for _, one := range h {
		if bad := settleHold(one, op); bad != nil {
			err = bad
		}
	}
	return err
}

func settleHold(h engine.Hold[item], op *driver.Op) error {
	switch op.Kind {
	case driver.OpDone:
		return h.Done()
	case driver.OpReturn:
		if op.Unseen {
			return h.ReturnUnseen()
		}
		return h.Return(op.Delay)
	case driver.OpReject:
		return h.Reject(op.Reason)
	case driver.OpExtend:
		return h.Extend(op.Delay)
	}
	return h.Heard()
}
