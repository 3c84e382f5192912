package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// maxCases is how many cases a select may have.
const maxCases = 1024

// choice is a select.
type choice struct {
	p     *party
	op    driver.Op
	cases []*chosen // of op.Cases
	after int       // the case of op.After, or -1
	other int       // the default, or -1
	cost  int
}

// chosen is one case with what it needs.
type chosen struct {
	index    int // among those of the client
	end      *end
	delivery *delivery // of a receive
}

// chosenError is an error of the case that was chosen.
type chosenError struct {
	index   int
	channel string
	error
}

func (e *chosenError) Unwrap() error { return e.error }

// selects begins a select.
func (p *party) selects(ctx context.Context, a *ask) (wait, error) {
	if len(a.Cases) == 0 || len(a.Cases) > maxCases {
		return nil, badRequest("a select has 1 to %d cases, not %d", maxCases, len(a.Cases))
	}
	c := &choice{p: p, after: -1, other: -1}
	c.op = driver.Op{Kind: driver.OpSelect, First: a.First}
	for i := range a.Cases {
		if err := c.add(i, &a.Cases[i]); err != nil {
			c.release(-1)
			return nil, fmt.Errorf("case %d: %w", i, err)
		}
	}
	first := c.first()
	if first == nil {
		c.release(-1)
		return nil, badRequest("a select without a channel")
	}
	if err := p.room.enter(c.cost); err != nil {
		c.release(-1)
		return nil, err
	}
	c.op.Try = c.other >= 0 || tries(a.Timeout)
	run := start(first, &c.op)
	return func() (*reply, error) {
		defer p.room.leave(c.cost)
		return c.ended(ctx, run.wait(ctx, a.Timeout, p.beat))
	}, nil
}

// add adds the i-th case.
func (c *choice) add(i int, a *caseAsk) error {
	said := 0
	for _, is := range []bool{a.Receive != "", a.Take != "", a.Send != "", a.Stop != "", a.After != nil, a.Default} {
		if is {
			said++
		}
	}
	if said != 1 {
		return badRequest("it must be one of receive, take, send, stop, after and default")
	}
	switch {
	case a.Send == "" && (a.Value != nil || a.Headers != nil):
		return badRequest("a value is of a send")
	case a.Take == "" && a.Lease != nil:
		return badRequest("a lease is of a take")
	case a.Default:
		c.other = i
	case a.After != nil && *a.After == 0:
		c.put(i, nil, driver.Case{}) // ready at once
	case a.After != nil:
		if d := time.Duration(*a.After); c.op.After == 0 || d < c.op.After {
			c.op.After, c.after = d, i
		}
	case a.Send != "":
		return c.send(i, a)
	case a.Stop != "":
		return c.use(i, a.Stop, Send, &driver.Op{Kind: driver.OpAwaitStop})
	case a.Take != "":
		return c.use(i, a.Take, Receive, &driver.Op{Kind: driver.OpTake, Max: 1, Unheard: true}, withLease(a.Lease))
	default:
		return c.use(i, a.Receive, Receive, &driver.Op{Kind: driver.OpTake, Max: 1, Plain: true, Unheard: true}, plain)
	}
	return nil
}

func (c *choice) put(i int, x *chosen, dc driver.Case) {
	if x == nil {
		x = &chosen{}
	}
	x.index = i
	c.cases = append(c.cases, x)
	c.op.Cases = append(c.op.Cases, dc)
}

// withLease and plain make room for the value of a receive.
func withLease(lease *span) func(*party, driver.Config) (*delivery, error) {
	return func(p *party, made driver.Config) (*delivery, error) { return p.delivery(made, true, lease) }
}

func plain(p *party, made driver.Config) (*delivery, error) { return p.delivery(made, false, nil) }

// use adds a case of a channel.
func (c *choice) use(i int, name string, right Right, op *driver.Op, room ...func(*party, driver.Config) (*delivery, error)) error {
	made, err := c.p.channel(name, right, &makeAsk{}, "")
	if err != nil {
		return err
	}
	x := &chosen{}
	for _, make := range room {
		if x.delivery, err = make(c.p, made); err != nil {
			return err
		}
	}
	if x.end, err = c.p.ends.get(name, right == Send); err != nil {
		if x.delivery != nil {
			x.delivery.forget()
		}
		return err
	}
	if x.delivery != nil {
		x.delivery.end = x.end
	}
	c.put(i, x, driver.Case{Channel: x.end.Channel, Op: op})
	return nil
}

func (c *choice) send(i int, a *caseAsk) error {
	made, err := c.p.channel(a.Send, Send, &makeAsk{}, jsonType)
	if err != nil {
		return err
	}
	value, err := c.p.forms.of(made).fromJSON(a.Send, a.Value)
	if err != nil {
		return err
	}
	item, err := itemOf(made, value, a.Headers)
	if err != nil {
		return err
	}
	c.cost += cost(&item)
	return c.use(i, a.Send, Send, &driver.Op{Kind: driver.OpSend, Items: []driver.Item{item}})
}

// first is the end the select is started on.
func (c *choice) first() *end {
	for _, x := range c.cases {
		if x.end != nil {
			return x.end
		}
	}
	return nil
}

// release gives up all cases but one.
func (c *choice) release(but int) {
	for i, x := range c.cases {
		switch {
		case i == but || x.end == nil:
		case x.delivery != nil:
			x.delivery.forget()
		default:
			x.end.release()
		}
	}
}

// ended says what was chosen.
func (c *choice) ended(ctx context.Context, err error) (*reply, error) {
	index := func(i int) *reply { return &reply{Case: &i} }
	switch {
	case errors.Is(err, fault.ErrInDoubt):
		c.release(-1)
		return nil, err
	case c.after >= 0 && errors.Is(err, fault.ErrTimeout) && !errors.Is(err, errLate):
		c.release(-1)
		return index(c.after), nil
	case err != nil:
		c.release(-1)
		if nothingCame(err) {
			return &reply{Nothing: true}, nil
		}
		return nil, err
	case c.op.NotReady:
		c.release(-1)
		if c.other < 0 {
			return &reply{Nothing: true}, nil
		}
		return index(c.other), nil
	}
	i := c.op.Chosen
	x, op := c.cases[i], c.op.Cases[i].Op
	if x.end == nil {
		c.release(-1)
		return index(x.index), nil
	}
	if x.delivery != nil && len(op.Got) > 0 {
		c.release(i)
		r, err := x.delivery.came(ctx, op.Got[0])
		if err == nil {
			r.Case, r.Channel = &x.index, x.end.key.channel
		}
		return r, err
	}
	c.release(-1)
	r := index(x.index)
	r.Channel, r.Sent, r.Reason = x.end.key.channel, op.N, op.Reason
	if op.Err != nil && x.delivery != nil && errors.Is(op.Err, fault.ErrClosed) {
		r.Closed = true
	} else if op.Err != nil {
		return nil, &chosenError{x.index, x.end.key.channel, op.Err}
	}
	return r, nil
}
