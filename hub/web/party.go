package web

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// party is somebody who uses channels, over requests or a WebSocket.
type party struct {
	*Server
	who  string
	ends *ends
	beat func() error // called now and then while an operation waits, if not nil
}

// wait waits for the end of an operation that has begun. Custody of a value in the
// reply is the caller's.
type wait func() (*reply, error)

// begin begins what a asks for. Operations that wait take effect in the order they
// were begun.
func (p *party) begin(ctx context.Context, a *ask) (wait, error) {
	switch a.Op {
	case "send":
		return p.send(ctx, a)
	case "receive", "take":
		return p.receive(ctx, a)
	case "select":
		return p.selects(ctx, a)
	}
	r, err := p.atOnce(a)
	return func() (*reply, error) { return r, nil }, err
}

// atOnce does what needs no waiting.
func (p *party) atOnce(a *ask) (*reply, error) {
	switch a.Op {
	case "open":
		_, _, err := p.open(a)
		return &reply{}, err
	case "info":
		return p.info(a.Channel)
	case "close":
		return &reply{}, p.simple(a.Channel, Close, driver.OpClose, "")
	case "stop":
		return &reply{}, p.simple(a.Channel, Receive, driver.OpStop, a.Reason)
	case "confirm":
		return &reply{}, p.settle(a, driver.OpDone, 0)
	case "return":
		return &reply{}, p.settle(a, driver.OpReturn, a.After.or(0))
	case "reject":
		return &reply{}, p.settle(a, driver.OpReject, 0)
	case "extend":
		lease, err := leaseOf(a.Lease)
		if err != nil {
			return nil, err
		}
		return &reply{}, p.settle(a, driver.OpExtend, lease)
	}
	return nil, badRequest("%q is not an operation", a.Op)
}

// open makes the channel of a, or sees that it is as a says, for somebody with the
// right to make it. fresh says that it was not there before.
func (p *party) open(a *ask) (made driver.Config, fresh bool, err error) {
	if err := p.hub.May(p.who, string(Create), a.Channel); err != nil {
		return made, false, err
	}
	_, _, err = p.hub.Find(a.Channel)
	fresh = err != nil
	made, err = p.agree(a.Channel, &a.makeAsk, "")
	return made, fresh, err
}

// channel returns the configuration of a channel that p wants to use, and makes it
// if it is not there. carries is the type it gets if nobody has said one yet.
func (p *party) channel(name string, right Right, m *makeAsk, carries string) (driver.Config, error) {
	if err := p.hub.May(p.who, string(right), name); err != nil {
		return driver.Config{}, err
	}
	made, _, err := p.hub.Find(name)
	if err == nil && !m.said() && (made.Type != "" || carries == "") {
		return made, nil
	}
	if err != nil {
		if err := p.hub.May(p.who, string(Create), name); err != nil {
			return made, err
		}
	}
	if made.Type != "" {
		carries = ""
	}
	made, err = p.agree(name, m, carries)
	if errors.Is(err, fault.ErrTypeMismatch) && m.Carries == "" {
		made, err = p.agree(name, m, "") // somebody was quicker, and it carries what he said
	}
	return made, err
}

// agree has the hub make the channel as m and carries say, or see that they agree.
func (p *party) agree(name string, m *makeAsk, carries string) (driver.Config, error) {
	cfg, err := m.config()
	if err != nil {
		return cfg, err
	}
	cfg.Name = name
	if cfg.Type == "" {
		cfg.Type = carries
	}
	if len(cfg.Type) > wire.MaxText || len(cfg.DeadLetter) > wire.MaxText {
		return cfg, badRequest("carries or deadletter is longer than %d bytes", wire.MaxText)
	}
	ch, made, err := p.hub.Attach(p.who, name, cfg)
	if err != nil {
		return cfg, err
	}
	ch.Detach(context.Background()) // it had no right to anything
	return made, nil
}

// simple runs an operation of one channel, which must be there.
func (p *party) simple(channel string, right Right, kind driver.Kind, reason string) error {
	if err := p.hub.May(p.who, string(right), channel); err != nil {
		return err
	}
	if len(reason) > wire.MaxText {
		return badRequest("a reason has at most %d bytes", wire.MaxText)
	}
	e, err := p.ends.get(channel, right == Close)
	if err != nil {
		return err
	}
	defer e.release()
	return e.settle(kind, driver.Hold{}, 0, reason)
}

// settle settles a hold.
func (p *party) settle(a *ask, kind driver.Kind, delay time.Duration) error {
	x, err := p.holds.find(p.who, a.Hold)
	if err != nil {
		return err
	}
	a.Channel = x.end.key.channel
	if len(a.Reason) > wire.MaxText {
		return badRequest("a reason has at most %d bytes", wire.MaxText)
	}
	if err := p.hub.May(p.who, string(Receive), a.Channel); err != nil {
		return err
	}
	return x.settle(kind, delay, a.Reason)
}

// send begins a send.
func (p *party) send(ctx context.Context, a *ask) (wait, error) {
	b := a.body
	if b == nil {
		b = &body{jsonBody, a.Value}
	}
	made, err := p.channel(a.Channel, Send, &a.makeAsk, typeOf(b.as))
	if err != nil {
		return nil, err
	}
	value, err := p.forms.of(made).fromBody(a.Channel, b.as, b.text)
	if err != nil {
		return nil, err
	}
	item, err := itemOf(made, value, a.Headers)
	if err != nil {
		return nil, err
	}
	e, err := p.ends.get(a.Channel, true)
	if err != nil {
		return nil, err
	}
	if err := p.room.enter(cost(&item)); err != nil {
		e.release()
		return nil, err
	}
	run := start(e, &driver.Op{Kind: driver.OpSend, Items: []driver.Item{item}, Try: tries(a.Timeout)})
	return func() (*reply, error) {
		defer e.release()
		defer p.room.leave(cost(&item))
		if err := run.wait(ctx, a.Timeout, p.beat); err != nil {
			return nil, err
		}
		if run.op.NotReady {
			return nil, fault.Because(fault.ErrFull, "no slot is free and nobody is there to receive")
		}
		return &reply{Sent: run.op.N}, nil
	}, nil
}

func cost(it *driver.Item) int { return wire.Cost(it) }

// itemOf is a value that may be sent on a channel.
func itemOf(made driver.Config, value []byte, headers map[string]string) (driver.Item, error) {
	if len(value) > made.MaxValue {
		return driver.Item{}, fault.Because(fault.ErrTooLarge, "%d bytes, maxvalue is %d", len(value), made.MaxValue)
	}
	if !wire.HeadersFit(headers) {
		return driver.Item{}, fault.Because(fault.ErrTooLarge, "headers have at most %d keys and %d bytes", wire.MaxHeaders, wire.MaxHeaderBytes)
	}
	if len(headers) == 0 {
		headers = nil
	}
	return driver.Item{Value: slices.Clone(value), Header: headers}, nil
}

// tries reports whether an operation is not to wait.
func tries(timeout *span) bool { return timeout != nil && *timeout == 0 }

// defaultLease is how long a value is held where nothing is said.
const defaultLease = 30 * time.Second

func leaseOf(said *span) (time.Duration, error) {
	lease := said.or(defaultLease)
	if lease <= 0 {
		return 0, badRequest("a lease is longer than 0s")
	}
	return lease, nil
}

// receive begins a receive or a take.
func (p *party) receive(ctx context.Context, a *ask) (wait, error) {
	made, err := p.channel(a.Channel, Receive, &a.makeAsk, "")
	if err != nil {
		return nil, err
	}
	d, err := p.delivery(made, a.Op == "take", a.Lease)
	if err != nil {
		return nil, err
	}
	if d.end, err = p.ends.get(a.Channel, false); err != nil {
		d.forget()
		return nil, err
	}
	if err := p.room.enter(0); err != nil {
		d.forget()
		return nil, err
	}
	run := start(d.end, &driver.Op{Kind: driver.OpTake, Max: 1, Plain: !d.take, Unheard: true, Try: tries(a.Timeout)})
	return func() (*reply, error) {
		defer p.room.leave(0)
		err := run.wait(ctx, a.Timeout, p.beat)
		switch {
		case len(run.op.Got) > 0:
			return d.came(ctx, run.op.Got[0])
		case err == nil || nothingCame(err):
			d.forget()
			return &reply{Nothing: true}, nil
		}
		d.forget()
		return nil, err
	}, nil
}

// nothingCame reports whether err only says that nothing happened in time.
func nothingCame(err error) bool {
	return isAny(err, fault.ErrTimeout, errCancelled) && !errors.Is(err, fault.ErrInDoubt)
}
