package hub

import (
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// This file is what a home has of a select that its owner decides, since others of
// its cases lie elsewhere: docs/spec/select.md.

// bid makes c one that its owner decides, who calls it ticket.
func (c *choice) bid(ticket uint64) error {
	for _, a := range c.holder {
		if a == nil {
			return wire.Unexpected(wire.TypeSelect, "that is offered, with a case that is ready at once")
		}
		if _, ok := a.ch.(driver.Bidder); !ok || a.ch.Info().Can.Select < driver.SelectClaims {
			return fault.Because(fault.ErrUnsupported, "a select over several homes, on channels of this one")
		}
	}
	c.Bid = &driver.Bid{
		Node: c.s.client, Number: ticket,
		Claim:   func() { c.post(wire.TypeClaim) },
		Release: func() { c.post(wire.TypeRelease) },
		Bind:    func() { c.post(wire.TypeBind) },
	}
	return nil
}

// post tells the owner something. Channels may be locked.
func (c *choice) post(t wire.Type) {
	c.s.out.Post(&wire.Order{Type: t, Channel: c.channel, Op: c.id})
}

// granted hears that the owner of c has granted its ticket.
func (c *choice) granted() error {
	if c.Bid == nil {
		return wire.Unexpected(wire.TypeGrant, "of a select that is not offered")
	}
	c.first.ch.(driver.Bidder).Granted(&c.Op)
	return nil
}

// aside hears that the owner of c cannot have its value now: it goes back, and c
// stands in its lines again, passed over until back.
func (c *choice) aside() error {
	c.s.mu.Lock()
	ok := c.Bid != nil && c.done && c.s.choices[c.id] == c
	if !ok {
		c.s.mu.Unlock()
		return wire.Unexpected(wire.TypeAside, "of what was not delivered")
	}
	won, holder := c.winner(), c.holder[c.Chosen]
	hold := won.Got[0].Hold
	won.Got, c.done = nil, false
	c.s.mu.Unlock()
	c.first.ch.(driver.Bidder).Aside(&c.Op)
	holder.unseen(hold)
	return nil
}

// back hears that c can be met again.
func (c *choice) back() error {
	if c.Bid == nil {
		return wire.Unexpected(wire.TypeBack, "of a select that is not offered")
	}
	c.first.ch.(driver.Bidder).Back(&c.Op)
	return nil
}

// look answers which cases of c are ready, and forgets it.
func (c *choice) look() {
	op := driver.NewOp(driver.OpLook, func(op *driver.Op) {
		if op.Err != nil {
			c.end(op.Err)
			return
		}
		c.s.out.Send(&wire.Looked{Channel: c.channel, Op: c.id, Ready: uint16(op.Ready), Times: op.Times})
	})
	op.Cases = c.Cases
	c.first.ch.Start(op)
}
