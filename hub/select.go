package hub

import (
	"errors"
	"math"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// choice is a SELECT of a client. The driver's Op is the home's until done; the
// rest is guarded by the session's mu.
type choice struct {
	driver.Op
	s       *session
	channel uint32
	id      uint64
	cost    int
	holder  []*attachment // of each case; nil for one that is ready at once
	first   *attachment   // the select was started on

	done      bool
	cancelled bool // CANCEL came before it was done
	over      chan struct{}
}

// choosing is what a session has of selects.
type choosing struct {
	choices map[uint64]*choice // under way, or with a value not yet heard of
	waiting waiting
	bytes   int
}

// choose begins a SELECT.
func (s *session) choose(f *wire.Select) error {
	if err := s.number(wire.TypeSelect, f.Op); err != nil {
		return err
	}
	c := &choice{s: s, channel: f.Channel, id: f.Op}
	c.Op = *driver.NewOp(driver.OpSelect, c.finished)
	c.Try, c.First, c.After = f.Flags&wire.FlagTry != 0, f.Flags&wire.FlagFirst != 0, f.After
	for i := range f.Cases {
		if err := c.add(&f.Cases[i]); err != nil {
			return err
		}
	}
	if c.first == nil {
		return wire.Unexpected(wire.TypeSelect, "without a channel")
	}
	if err := c.denied(); err != nil {
		c.end(err)
		return nil
	}
	if f.Flags&wire.FlagLook != 0 {
		c.look()
		return nil
	}
	if f.Flags&wire.FlagOffer != 0 {
		if err := c.bid(f.Ticket); errors.Is(err, fault.ErrUnsupported) {
			c.end(err)
			return nil
		} else if err != nil {
			return err
		}
	}
	if !c.Try {
		if err := s.account.hold(c.cost); err != nil {
			c.end(err)
			return nil
		}
	}
	if err := s.admit(c); err != nil {
		s.account.release(c.cost)
		return err
	}
	c.first.ch.Start(&c.Op)
	return nil
}

// add adds the case f.
func (c *choice) add(f *wire.Case) error {
	if f.Kind == wire.CaseReady {
		c.Cases = append(c.Cases, driver.Case{})
		c.holder = append(c.holder, nil)
		return nil
	}
	a := c.s.attachment(f.Channel)
	if a == nil {
		return wire.Unexpected(wire.TypeSelect, "with an attachment that is not there")
	}
	op := &driver.Op{}
	switch f.Kind {
	case wire.CaseSend:
		if len(f.Item.Value) > a.maxValue {
			return wire.Unexpected(wire.TypeSelect, "of a value over the channel's limit")
		}
		c.cost += wire.Cost(&f.Item)
		op.Kind, op.Items = driver.OpSend, wire.Keep(nil, []driver.Item{f.Item}, math.MaxInt)
	case wire.CaseStop:
		op.Kind = driver.OpAwaitStop
	default:
		// For the home both are a Take: see attachment.receive.
		op.Kind, op.Max, op.Unheard, op.Plain = driver.OpTake, 1, true, f.Kind == wire.CaseRecv
	}
	c.Cases = append(c.Cases, driver.Case{Channel: a.ch, Op: op})
	c.holder = append(c.holder, a)
	if c.first == nil {
		c.first = a
	}
	return nil
}

// denied says which case the client has no right to.
func (c *choice) denied() error {
	for i, a := range c.holder {
		switch {
		case a == nil:
		case c.Cases[i].Op.Kind == driver.OpSend && !a.canSend:
			return fault.Because(fault.ErrDenied, "case %d: opened without the right to send", i)
		case c.Cases[i].Op.Kind == driver.OpTake && !a.canRecv:
			return fault.Because(fault.ErrDenied, "case %d: opened without the right to receive", i)
		}
	}
	return nil
}

// admit counts c in, unless it only tries, and remembers it.
func (s *session) admit(c *choice) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.choices[c.id] = c
	if c.Try {
		return nil
	}
	alone := s.waiting == 0
	s.waiting++
	s.bytes += c.cost
	if int(s.waiting) > s.hub.opts.MaxWaiting || s.bytes > s.hub.opts.MaxWaitBytes && !alone {
		return &wire.Error{Code: wire.CodeLimit, Text: "more selects wait than this home allows"}
	}
	return nil
}

// winner is the case that was chosen, nil if none was. c is done.
func (c *choice) winner() *driver.Op {
	if c.Err != nil || c.NotReady {
		return nil
	}
	if op := c.Cases[c.Chosen].Op; op != nil {
		return op
	}
	return &driver.Op{} // ready at once
}

// finished is told by the home that c has ended. It does not block.
func (c *choice) finished(*driver.Op) {
	s := c.s
	won := c.winner()
	got := won != nil && len(won.Got) > 0
	s.mu.Lock()
	c.done = true
	deliver := got && !c.cancelled
	if !deliver || c.Bid == nil {
		c.waitsNoMore()
	}
	if !deliver {
		delete(s.choices, c.id)
	}
	over := c.over
	s.mu.Unlock()

	switch {
	case got && !deliver:
		// It was cancelled while a value came: nobody has seen that.
		c.holder[c.Chosen].unseen(won.Got[0].Hold)
		c.end(wire.ErrCancelled)
	case won == nil:
		c.end(c.Err)
	case s.parts(won.Err):
		c.end(errClosing)
	default:
		c.tell(won)
	}
	if over != nil {
		close(over)
	}
}

// waitsNoMore counts c out. The session's mu is held.
func (c *choice) waitsNoMore() {
	if c.Try {
		return
	}
	c.s.waiting--
	c.s.bytes -= c.cost
	c.s.account.release(c.cost)
}

// endChoices counts out the selects whose value the client will not answer any more:
// the session has ended, and every operation.
func (s *session) endChoices() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.choices {
		c.hear()
	}
}

// end answers that no case was chosen.
func (c *choice) end(err error) {
	f := wire.End{Channel: c.channel, Op: c.id}
	if c.NotReady {
		f.Flags |= wire.EndNotReady
	}
	c.s.answer(&f, err)
}

// tell answers which case was chosen.
func (c *choice) tell(won *driver.Op) {
	code, doubt, text := wire.CodeOf(won.Err)
	f := wire.Chosen{Channel: c.channel, Op: c.id, Case: uint16(c.Chosen), Code: code, Text: text}
	if won.Kind == driver.OpAwaitStop && won.Err == nil {
		f.Text = won.Reason
	}
	if doubt {
		f.Flags |= wire.ChosenInDoubt
	}
	if len(won.Got) > 0 {
		f.Flags |= wire.ChosenValue
		f.Item = won.Got[0]
	}
	c.s.out.End(f.Append(c.s.out.Begin()), true)
}

// choice returns the select called id, or nil.
func (s *session) choice(id uint64) *choice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.choices[id]
}

// hear takes c out of the selects whose value the client has to answer. It
// reports false if there is no such value. The session's mu is held.
func (c *choice) hear() bool {
	if !c.done || c.s.choices[c.id] != c { // it may have ended without a value since it was looked up
		return false
	}
	delete(c.s.choices, c.id)
	if c.Bid != nil { // it might have had to wait again
		c.waitsNoMore()
	}
	return true
}

// order handles TAKEN, CANCEL, GRANT, ASIDE and BACK.
func (c *choice) order(t wire.Type) error {
	switch t {
	case wire.TypeTaken:
		return c.taken()
	case wire.TypeGrant:
		return c.granted()
	case wire.TypeAside:
		return c.aside()
	case wire.TypeBack:
		return c.back()
	}
	c.cancel()
	return nil
}

// taken hears that the client has the value of c.
func (c *choice) taken() error {
	c.s.mu.Lock()
	delivered := c.hear()
	c.s.mu.Unlock()
	if !delivered {
		return wire.Unexpected(wire.TypeTaken, "of what was not delivered")
	}
	won := c.winner()
	c.holder[c.Chosen].has(won.Got[0].Hold, won.Plain)
	return nil
}

// cancel ends c because its client asks for it. A value that was delivered goes
// back unseen. When it returns a select without a send has ended: see
// attachment.cancel.
func (c *choice) cancel() {
	c.s.mu.Lock()
	if c.done || c.cancelled {
		delivered := c.hear() // perhaps a moment ago
		c.s.mu.Unlock()
		if delivered {
			c.holder[c.Chosen].unseen(c.winner().Got[0].Hold)
		}
		return
	}
	c.cancelled = true
	if !c.sends() {
		c.over = make(chan struct{})
	}
	over := c.over
	c.s.mu.Unlock()
	c.first.ch.Cancel(&c.Op, wire.ErrCancelled)
	if over != nil {
		<-over
	}
}

// sends reports whether a case of c is a send.
func (c *choice) sends() bool {
	for i := range c.Cases {
		if op := c.Cases[i].Op; op != nil && op.Kind == driver.OpSend {
			return true
		}
	}
	return false
}
