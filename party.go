package handoff

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// party is one home of a wideSelect: a case of the select in this process, which
// stands for all cases at that home.
type party struct {
	s     *wideSelect
	home  string
	index []int // its cases; the first one stands for all

	// Of the offer that is out; of the owner until the ticket is over.
	tk    *ticket.Ticket
	op    *driver.Op
	cases []int         // which the cases of op are
	done  chan struct{} // closed when op has ended

	mu        sync.Mutex // guards the rest
	withdrawn bool
	refused   error // why op was not even begun, once that is known
	owed      bool  // that has not had the ticket, which was claimed
}

// turns numbers the tickets of this process.
var turns atomic.Uint64

// on are the cases that take part in this turn.
func (p *party) on() []int {
	var on []int
	for _, i := range p.index {
		if !p.s.off[i] {
			on = append(on, i)
		}
	}
	return on
}

// link is that of any of its cases that take part.
func (p *party) link() *link {
	for _, i := range p.index {
		if !p.s.off[i] {
			return p.s.cases[i].far.link
		}
	}
	return p.s.cases[p.index[0]].far.link
}

// opOf is an operation over the cases of run.
func (p *party) opOf(kind driver.Kind, run []int) *driver.Op {
	op := &driver.Op{Kind: kind}
	for _, i := range run {
		op.Cases = append(op.Cases, driver.Case{Channel: p.s.cases[i].far.link.ch, Op: p.s.ops[i]})
	}
	return op
}

// looks asks which cases are ready, and calls done when that is known.
func (p *party) looks(done func()) *driver.Op {
	op := p.opOf(driver.OpLook, p.on())
	op.OnFinish(func(*driver.Op) { done() })
	p.link().ch.Start(op)
	return op
}

// try has one of the cases of run, which are in order, take effect if it is ready
// now. ok says that the turn is over. A home that cannot be reached has nothing
// ready, unless somebody has to know for certain.
func (p *party) try(ctx context.Context, run []int, first bool) (i int, ok bool, err error) {
	op := p.opOf(driver.OpSelect, run)
	op.Try, op.First = true, first
	err = p.link().run(ctx, op, p.link().opTimeout, ErrUnreachable)
	switch {
	case errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrInDoubt) && !p.s.besideDefault():
		return -1, false, nil
	case err != nil:
		return -1, true, err
	case op.NotReady:
		return -1, false, nil
	}
	i = run[op.Chosen]
	return i, true, p.s.cases[i].far.end(op.Cases[op.Chosen].Op)
}

// Offer implements engine.Foreign: it offers tk to the home.
func (p *party) Offer(tk *ticket.Ticket, i int) {
	p.tk, p.cases, p.done = tk, p.on(), make(chan struct{})
	p.withdrawn, p.refused, p.owed = false, nil, false
	p.op = p.opOf(driver.OpSelect, p.cases)
	p.op.Ticket, p.op.Case, p.op.Number = tk, i, p.s.number
	p.op.OnFinish(p.ended)
	p.link().ch.Start(p.op)
}

// ended is told that the operation has ended, with the ticket or without.
func (p *party) ended(op *driver.Op) {
	tk, done := p.tk, p.done
	won := op.Won
	if !won && op.Err != nil {
		p.mu.Lock()
		if !p.withdrawn {
			p.refused = op.Err
			won = p.fail()
		}
		p.mu.Unlock()
	}
	hb.Release(p) // partner: Finish
	close(done)
	if won {
		tk.Ring() // from here on p is in its next turn
	}
}

// fail has the case fail because it could not be offered. mu is held.
func (p *party) fail() (won bool) {
	answer := p.tk.Win(p.op.Case)
	p.owed = answer == ticket.Busy
	return answer == ticket.Won
}

// Withdraw implements engine.Foreign.
func (p *party) Withdraw(*ticket.Ticket) {
	p.Hurry(errWithdrawn)
	<-p.done
}

var errWithdrawn = errors.New("another case was chosen")

// Hurry implements engine.Hurried.
func (p *party) Hurry(cause error) {
	p.mu.Lock()
	p.withdrawn = true
	p.mu.Unlock()
	p.link().ch.Cancel(p.op, cause)
}

// Freed implements engine.Freed.
func (p *party) Freed() {
	p.mu.Lock()
	owed := p.owed
	won := owed && p.fail()
	p.mu.Unlock()
	switch {
	case won:
		p.tk.Ring()
	case !owed:
		p.link().ch.(driver.Claimer).Freed(p.op)
	}
}

// Finish implements engine.Foreign: the case that has won runs its callback.
func (p *party) Finish() error {
	hb.Acquire(p)
	if p.refused != nil {
		p.s.won = p.cases[0]
		return p.refused
	}
	i := p.cases[p.op.Chosen]
	p.s.won = i
	return p.s.cases[i].far.end(p.op.Cases[p.op.Chosen].Op)
}

var _ interface {
	engine.Foreign
	engine.Hurried
	engine.Freed
} = (*party)(nil)
