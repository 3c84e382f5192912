package shm

import "github.com/handoff-go/handoff/driver"

// hear has c told that it has ended, as it waits no more. It may go on, and wait again; but what neither waits
// nor is on the list of what has happened will never be told.
func (m *Member) hear(o *outcome, c *call) {
	op := c.op
	if m.look(o); c.op != op || op == nil {
		return
	}
	w := c.w
	if c.sel != nil {
		if w = c.sel.claimed; w == 0 {
			return // what it had promised came to nothing, and it waits again
		}
	}
	lost := false
	if m.do(o, func(t *tx) { lost = t.phase(w) != phaseWaiting && t.get(t.me(mDone)) == 0 }) == nil && lost {
		m.s.damage("an operation that neither waits nor has ended")
	}
}

// failAll ends all that waits because of err. What becomes of it in the segment means nothing any more, so
// that a send is in doubt.
func (m *Member) failAll(o *outcome, err error) {
	for _, c := range append(m.calls, m.shoved...) {
		if c == nil || c.op == nil {
			continue // of a select, whose first case has ended it
		}
		op, sel := c.op, c.sel
		*c = call{}
		if sel == nil {
			why := err
			if op.Kind == driver.OpSend {
				why = driver.Doubtful(err)
			}
			m.end(o, op, why)
			continue
		}
		m.failSelect(o, op, sel, err)
	}
	clear(m.calls)
	m.shoved, m.waits = nil, 0
}

// failSelect is failAll of a select.
func (m *Member) failSelect(o *outcome, op *driver.Op, s *selection, err error) {
	if s.timer != nil {
		s.timer.Stop()
	}
	switch {
	case s.bound: // it has chosen, and its ticket says so
		op.Chosen, op.Won = s.caseOf(s.claimed), op.Ticket != nil
		op.Cases[op.Chosen].Op.Err = driver.Doubtful(err)
		m.end(o, op, nil)
		return
	case s.claimed != 0:
		s.tk.Release()
	}
	if op.Ticket == nil {
		s.tk.Abort()
	}
	m.end(o, op, err)
}
