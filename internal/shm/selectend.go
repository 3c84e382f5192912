package shm

import "github.com/handoff-go/handoff/driver"

// completed ends the select c, one of whose cases somebody else has completed: the claimed one.
func (m *Member) completed(o *outcome, c *call, f fetched, records []uint32) {
	i := c.sel.caseOf(f.w)
	c.sel.ws[i] = 0
	m.calls[f.w] = nil
	m.waits--
	if f.result == resNotReady {
		m.tryFailed(o, c)
		return
	}
	m.caseEnded(c.op.Cases[i].Op, f.result, f.n, f.reason, records)
	m.chosen(o, c, i)
}

// tryFailed ends a select that does not wait, and whose send came to nothing: who had its value
// is dead, and did not know of it.
func (m *Member) tryFailed(o *outcome, c *call) {
	m.dropCases(o, c, 0)
	c.op.NotReady = true
	m.endSelect(o, c, nil)
}

// chosen ends the select c, whose case i took effect.
func (m *Member) chosen(o *outcome, c *call, i int) {
	m.dropCases(o, c, 0)
	op := c.op
	if !c.sel.bound {
		c.sel.tk.Confirm(op.Case)
	}
	op.Chosen, op.Won = i, op.Ticket != nil
	m.endSelect(o, c, nil)
}

// dropCases takes all offers of c but one out of their lines.
func (m *Member) dropCases(o *outcome, c *call, but uint32) {
	for i, w := range c.sel.ws {
		if w == 0 || w == but {
			continue
		}
		m.do(o, func(t *tx) {
			if t.phase(w) == phaseWaiting {
				t.giveUp(w)
			}
		})
		m.calls[w] = nil
		m.waits--
		c.sel.ws[i] = 0
	}
}

func (m *Member) endSelect(o *outcome, c *call, err error) {
	if c.sel.timer != nil {
		c.sel.timer.Stop()
	}
	op := c.op
	*c = call{}
	m.end(o, op, err)
}

// withdraw ends the select c because of why, or because its ticket is gone.
func (m *Member) withdraw(o *outcome, c *call, why error) {
	s, op := c.sel, c.op
	if !s.bound && !m.takeBack(o, c) && c.op != op {
		return
	}
	if s.bound {
		m.giveUpBound(o, c, why)
		return
	}
	if s.claimed != 0 {
		return // its promise was taken up, and it is about to be told
	}
	if c.op.Ticket == nil {
		s.tk.Abort()
	}
	m.dropCases(o, c, 0)
	m.endSelect(o, c, why)
}

// takeBack takes the promise of c back, if there is one. It returns false if somebody has
// taken it up: c has ended then, or is bound, or is about to be told.
func (m *Member) takeBack(o *outcome, c *call) bool {
	s, op := c.sel, c.op
	w := s.claimed
	if w == 0 {
		return true
	}
	var waits, bound bool
	err := m.do(o, func(t *tx) {
		waits = t.phase(w) == phaseWaiting
		switch bound = waits && t.w(w, wOffer)&isBound != 0; {
		case bound:
			t.unbind(w)
		case waits:
			t.giveUp(w)
		}
	})
	switch {
	case err == nil && bound:
		m.bound(o, c, w)
		return false
	case err == nil && !waits:
		if m.hear(o, c); c.op == op && !s.bound {
			return m.takeBack(o, c) // who had taken it up has given up himself meanwhile
		}
		return false
	}
	m.calls[w] = nil
	m.waits--
	s.ws[s.caseOf(w)] = 0
	s.claimed = 0
	s.tk.Release()
	return true
}

// giveUpBound gives up the send that is chosen, if that is not too late.
func (m *Member) giveUpBound(o *outcome, c *call, why error) {
	w := c.sel.claimed
	var waits, doubt bool
	if err := m.do(o, func(t *tx) {
		if waits = t.phase(w) == phaseWaiting; waits {
			doubt = t.giveUp(w)
		}
	}); err == nil && !waits {
		m.hear(o, c)
		return
	}
	if doubt {
		why = driver.Doubtful(why)
	}
	i := c.sel.caseOf(w)
	m.calls[w] = nil
	m.waits--
	c.sel.ws[i] = 0
	if c.op.Try && !doubt {
		m.tryFailed(o, c)
		return
	}
	c.op.Cases[i].Op.Err = why
	m.chosen(o, c, i)
}

// promises looks again at those selects that have promised.
func (m *Member) promises(o *outcome) {
	for i := 0; i < len(m.calls); i++ {
		c := m.calls[i]
		if c != nil && c.sel != nil && !c.sel.bound && c.sel.claimed == uint32(i) {
			m.asked(o, c, uint32(i))
		}
	}
}

// lookAt says which cases of op are ready.
func (m *Member) lookAt(o *outcome, op *driver.Op) {
	err := m.choosable(op)
	if err == nil {
		err = m.do(o, func(t *tx) {
			op.Ready, op.Times = 0, 0
			for i := range op.Cases {
				if c := &op.Cases[i]; t.caseReady(c, true) || t.caseMayBe(c) && !t.isBehindTake(c) {
					op.Ready++
				}
				op.Times += t.times(op.Cases[i].Op.Kind)
			}
		})
	}
	m.end(o, op, err)
}

// isBehindTake reports whether a send beside a default would look at a receiver that takes to hold. As
// long as that one waits it is not ready; to call it ready would have each look followed by a vain try.
func (t *tx) isBehindTake(c *driver.Case) bool {
	w := t.firstTaker()
	return c.Op.Kind == driver.OpSend && w != 0 && t.wKind(w) != waitRecv && t.used() == t.s.slots
}

// times counts, for a direction, how often a case of it may have become ready.
func (t *tx) times(k driver.Kind) uint64 {
	n := uint64(t.get(gClosed)) + min(uint64(t.get(gStopped)), 1)
	if k == driver.OpSend {
		return n + uint64(t.get(gReceived)) + uint64(t.get(gReceivedHigh))<<32 + uint64(t.get(gBuried)) + uint64(t.get(gRooms))
	}
	return n + uint64(t.get(gSent)) + uint64(t.get(gSentHigh))<<32 + uint64(t.get(gQueued))
}
