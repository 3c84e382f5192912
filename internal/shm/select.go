package shm

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/ticket"
)

// selection is what a call has besides if it is a select.
type selection struct {
	tk      *ticket.Ticket
	ws      []uint32 // the waiter of each case, 0 for one that does not stand
	claimed uint32   // the waiter for which the ticket is claimed
	bound   bool     // that is chosen, and its value is held
	parked  bool     // somebody else has claimed the ticket, and an offer is to be answered
	timer   *time.Timer
}

// numbers count the selects that have no ticket from above. The high bit tells them from those.
var numbers atomic.Uint64

// choose begins a select over cases of this member.
func (m *Member) choose(o *outcome, op *driver.Op) {
	if err := m.choosable(op); err != nil {
		m.end(o, op, err)
		return
	}
	for rounds := 0; ; rounds++ {
		if rounds > maxRounds { // nobody is faster so often
			m.s.damage("a case that is ready and cannot take effect")
		}
		i, err := m.chooseNow(o, op)
		if err == nil {
			err = m.s.damaged()
		}
		switch {
		case err != nil:
			m.end(o, op, err)
			return
		case i >= 0:
			if m.commitCase(o, op, i) {
				return
			}
		default:
			if m.stand(o, op) {
				return
			}
		}
	}
}

// choosable says what is wrong with op.
func (m *Member) choosable(op *driver.Op) error {
	if len(op.Cases) > maxCases {
		return driver.Because(driver.ErrUnsupported, "%d cases on one channel; %d are possible", len(op.Cases), maxCases)
	}
	for i := range op.Cases {
		c := &op.Cases[i]
		if c.Channel == nil {
			continue
		}
		if c.Channel != driver.Channel(m) {
			return driver.Because(driver.ErrUnsupported, "a select over several attachments at once")
		}
		switch k := c.Op; {
		case k.Kind == driver.OpSend && !m.about.Send, k.Kind != driver.OpSend && k.Kind != driver.OpAwaitStop && !m.about.Receive:
			return driver.ErrDenied
		case k.Kind == driver.OpSend && len(k.Items) != 1, k.Kind == 0 || k.Kind > driver.OpAwaitStop:
			return driver.ErrUnsupported
		case k.Kind == driver.OpSend && len(k.Items[0].Value) > m.s.maxValue:
			return driver.Because(driver.ErrTooLarge, "%d bytes, maxvalue is %d", len(k.Items[0].Value), m.s.maxValue)
		}
		c.Op.Got, c.Op.Err, c.Op.N = nil, nil, 0
	}
	return nil
}

const maxCases = 8

// chooseNow returns a case that is ready, or -1.
func (m *Member) chooseNow(o *outcome, op *driver.Op) (int, error) {
	if op.Ticket != nil {
		return -1, nil
	}
	var ready [maxCases]int
	n := 0
	err := m.do(o, func(t *tx) {
		n = 0
		for i := range op.Cases {
			if t.caseReady(&op.Cases[i], op.Try) {
				ready[n] = i
				n++
			}
		}
	})
	switch {
	case err != nil || n == 0:
		return -1, err
	case op.First:
		return ready[0], nil
	}
	return ready[rand.IntN(n)], nil
}

// caseReady reports whether a case would take effect at once. A send beside a default looks at
// the first receiver only.
func (t *tx) caseReady(c *driver.Case, try bool) bool {
	if c.Channel == nil {
		return true
	}
	switch c.Op.Kind {
	case driver.OpAwaitStop:
		return t.get(gStopped) != 0
	case driver.OpSend:
		return t.get(gClosed) != 0 || t.meets(try)
	}
	return t.takesNow() || t.get(gClosed) != 0 && t.used() == 0
}

// commitCase has case i take effect, if it is still ready.
func (m *Member) commitCase(o *outcome, op *driver.Op, i int) (over bool) {
	c := &op.Cases[i]
	op.Chosen = i
	if c.Channel == nil {
		m.end(o, op, nil)
		return true
	}
	var ready bool
	var w uint32
	var prepare func() error
	if c.Op.Kind == driver.OpSend {
		prepare = func() error { _, err := m.stage(c.Op.Items); return err }
	}
	err := m.doWith(o, prepare, func(t *tx) {
		w = 0
		if ready = t.caseReady(c, op.Try); !ready {
			return
		}
		switch c.Op.Kind {
		case driver.OpSend:
			w = t.send(1, op.Try, false)
		case driver.OpRecv, driver.OpTake:
			t.receive(kindOf(c.Op.Kind), 1, true)
		}
	})
	switch {
	case err != nil:
		m.end(o, op, err)
		return true
	case !ready, m.t.result == resNotReady:
		if prepare != nil {
			m.unstage(1)
		}
		return false
	case w != 0: // chosen, and held
		m.wait(op, w, 0)
		m.calls[w].sel = &selection{tk: new(ticket.Ticket), ws: make([]uint32, len(op.Cases)), claimed: w, bound: true}
		m.calls[w].sel.ws[i] = w
		return true
	}
	if prepare != nil && m.t.n == 0 {
		m.unstage(1)
	}
	m.caseEnded(c.Op, m.t.result, m.t.n, m.t.reason, m.t.taken)
	m.end(o, op, nil)
	return true
}

func kindOf(k driver.Kind) uint32 {
	switch k {
	case driver.OpSend:
		return waitSend
	case driver.OpTake:
		return waitTake
	case driver.OpAwaitStop:
		return waitStop
	}
	return waitRecv
}

// caseEnded sets the results of the case that took effect.
func (m *Member) caseEnded(op *driver.Op, r result, n int, reason uint32, taken []uint32) {
	switch op.Kind {
	case driver.OpSend:
		if op.N = n; r == resRejected {
			op.Err = driver.Because(driver.ErrRejected, "%s", m.text(reason))
			return
		}
	case driver.OpAwaitStop:
		op.Reason = m.s.stopReason()
	default:
		if r == resOK {
			op.Err = m.readInto(op, taken, kindOf(op.Kind))
			return
		}
	}
	op.Err = errOf(r)
}

// stand has all cases of op stand in their lines, unless one has become ready.
func (m *Member) stand(o *outcome, op *driver.Op) (over bool) {
	s := &selection{tk: op.Ticket, ws: make([]uint32, len(op.Cases))}
	number := op.Number
	if s.tk == nil {
		s.tk = &ticket.Ticket{Notify: func() {}}
		s.tk.Reset()
		number = numbers.Add(1) | 1<<63
	}
	order := orderOf(op)
	ready, full, maybe := false, false, false
	err := m.doWith(o, func() error { return m.stageCases(op, order) }, func(t *tx) {
		ready, full, maybe = false, false, false
		for i := range op.Cases {
			if op.Ticket == nil && t.caseReady(&op.Cases[i], op.Try) {
				ready = true
				return
			}
			maybe = maybe || t.caseMayBe(&op.Cases[i])
		}
		if op.Try && !maybe {
			return
		}
		if full = !t.haveWaiters(len(op.Cases)); full {
			return
		}
		for _, i := range order {
			s.ws[i] = t.newWaiter(kindOf(op.Cases[i].Op.Kind))
			t.offered(s.ws[i], number)
			t.trying(s.ws[i], op.Try)
		}
		t.move()
	})
	switch {
	case err == nil && full:
		err = errOf(resFull)
	case err == nil && ready:
		m.unstageCases(op)
		return false
	case err == nil && op.Try && !maybe:
		m.unstageCases(op)
		op.NotReady = true
		m.end(o, op, nil)
		return true
	}
	if err != nil {
		m.unstageCases(op)
		m.end(o, op, err)
		return true
	}
	c := &call{op: op, w: s.ws[0], sel: s}
	op.Note = c
	for _, w := range s.ws {
		m.keep(c, w)
	}
	if op.After > 0 {
		s.timer = time.AfterFunc(op.After, func() { m.late(op, c) })
	}
	return true
}

// orderOf is a random order of the cases: where several are on one line, any of them is to be
// chosen with equal chance.
func orderOf(op *driver.Op) []int { return rand.Perm(len(op.Cases)) }

// caseMayBe reports whether a case that is not ready may be when offers have answered.
func (t *tx) caseMayBe(c *driver.Case) bool {
	switch {
	case c.Channel == nil || c.Op.Kind == driver.OpAwaitStop:
		return false
	case c.Op.Kind == driver.OpSend:
		return t.mayLeave(0)
	}
	return t.mayGet(0, kindOf(c.Op.Kind))
}

// stageCases puts the values of all sends on the stack, in order, the first on top.
func (m *Member) stageCases(op *driver.Op, order []int) error {
	var items [maxCases]driver.Item
	n := 0
	for _, i := range order {
		if c := &op.Cases[i]; c.Op != nil && c.Op.Kind == driver.OpSend {
			items[n] = c.Op.Items[0]
			n++
		}
	}
	if n == 0 {
		return nil
	}
	k, err := m.stage(items[:n])
	if err == nil && k < n {
		m.unstage(k)
		err = driver.Because(driver.ErrFull, "no room in the segment for the values of a select")
	}
	return err
}

func (m *Member) unstageCases(op *driver.Op) {
	n := 0
	for i := range op.Cases {
		if op.Cases[i].Op != nil && op.Cases[i].Op.Kind == driver.OpSend {
			n++
		}
	}
	m.unstage(n)
}

// late ends a select whose time is over, unless a case is chosen.
func (m *Member) late(op *driver.Op, c *call) {
	var o outcome
	m.mu.Lock()
	if c.op == op && c.sel != nil && !c.sel.bound && m.takeBack(&o, c) {
		m.withdraw(&o, c, driver.ErrTimeout)
	}
	m.leave(&o)
}

// asked answers that w, an offer of c, is asked for.
func (m *Member) asked(o *outcome, c *call, w uint32) {
	s := c.sel
	if s.bound {
		return
	}
	if s.claimed == 0 {
		switch s.tk.Claim() {
		case ticket.Gone:
			m.withdraw(o, c, nil)
			return
		case ticket.Busy:
			m.park(o, c, w)
			return
		}
		s.claimed = w
	} else if s.claimed != w {
		m.park(o, c, w)
		return
	}
	m.point(PointClaimed)
	var a answer
	if m.do(o, func(t *tx) { a = t.attempt(w) }) != nil {
		a = answerNo
	}
	m.point(PointPromised)
	switch a {
	case answerEnded:
		i := s.caseOf(w)
		s.ws[i] = 0
		m.calls[w] = nil
		m.waits--
		m.caseEnded(c.op.Cases[i].Op, m.t.result, m.t.n, m.t.reason, m.t.taken)
		m.chosen(o, c, i)
	case answerBound:
		m.bound(o, c, w)
	case answerNo:
		m.unclaim(o, c)
		m.endVain(o, c)
	}
}

// park leaves w to be answered later: the ticket is claimed for something else, and others pass w
// over meanwhile. If it is free, and only its owner has to look first, they wait for that: its
// owner waits for nobody. To pass w over, too, would let go who has promised to meet it,
// and two who ask each other in turn could go on with that for ever.
func (m *Member) park(o *outcome, c *call, w uint32) {
	c.sel.parked = true
	if c.sel.claimed != 0 || c.sel.tk.State() == ticket.Claimed {
		m.do(o, func(t *tx) { t.passOver(w) })
	}
}

// bound notes that the send w of c is chosen, and held.
func (m *Member) bound(o *outcome, c *call, w uint32) {
	c.sel.bound = true
	c.sel.tk.Bind(c.op.Case)
	m.dropCases(o, c, w)
}

// endVain ends a select that waits only for the answers of offers, when there is none any more.
func (m *Member) endVain(o *outcome, c *call) {
	op, s := c.op, c.sel
	if op == nil || !op.Try || s.claimed != 0 {
		return
	}
	may := false
	m.do(o, func(t *tx) {
		may = false
		for _, w := range s.ws {
			may = may || w != 0 && t.phase(w) == phaseWaiting && t.mayMeet(w)
		}
	})
	if !may {
		op.NotReady = true
		m.withdraw(o, c, nil)
	}
}

// unclaim gives the ticket back. What came meanwhile is answered when its owner has looked.
func (m *Member) unclaim(o *outcome, c *call) {
	s := c.sel
	s.claimed = 0
	s.tk.Release()
	if c.op.Ticket == nil {
		s.tk.Looked()
		m.again(o, c)
	}
}

// again answers those offers of c that were asked for while the ticket was claimed.
func (m *Member) again(o *outcome, c *call) {
	s, op := c.sel, c.op
	if !s.parked {
		return
	}
	s.parked = false
	for _, w := range s.ws {
		if w == 0 || s.claimed != 0 || uint32(m.s.load(m.s.waiterWord(w)+wOffer))&isAsked == 0 {
			continue
		}
		if m.asked(o, c, w); c.op != op {
			return
		}
	}
}

// Freed implements driver.Claimer.
func (m *Member) Freed(op *driver.Op) {
	var o outcome
	m.mu.Lock()
	if c, _ := op.Note.(*call); c != nil && c.op == op && c.sel != nil && c.sel.claimed == 0 {
		m.again(&o, c)
	}
	m.leave(&o)
}

func (s *selection) caseOf(w uint32) int {
	for i, x := range s.ws {
		if x == w {
			return i
		}
	}
	return 0
}
