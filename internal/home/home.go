// Package home is a channel of bytes at its home: the engine behind the driver
// seam. It is what a hub serves to others, and it waits without goroutines.
package home

import (
	"context"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// item is a value as the engine sees it.
type item struct {
	value  []byte
	header map[string]string
}

// Channel is a channel at its home.
type Channel struct {
	c    *engine.Chan[item]
	name string
	home string
	cfg  driver.Config
}

// New makes a channel. cfg.Slots of -1 makes a rendezvous. home identifies the
// process in Info.Home. dead, nil if there is none, takes what nobody could
// handle; it must not wait, and answers ErrFull when it has no room. cfg's own
// DeadLetter means nothing here.
func New(cfg driver.Config, home string, dead func(it driver.Item, reason string, attempts int) error) (*Channel, error) {
	var bury engine.Dead[item]
	if dead != nil {
		bury = func(v item, reason string, attempts int) error {
			return dead(driver.Item{Value: v.value, Header: v.header}, reason, attempts)
		}
	}
	return &Channel{
		c: engine.New[item](engine.Config{
			Name: cfg.Name, Slots: max(cfg.Slots, 0),
			MaxHold: cfg.MaxHold, MaxAttempts: cfg.MaxAttempts,
			CloseWhenSendersGone: cfg.CloseWhenSendersGone,
		}, bury),
		name: cfg.Name, home: home, cfg: cfg,
	}, nil
}

// Sink attaches a sender to ch, for as long as ch lives. It puts a value into a
// slot, or gives it to a Recv of this process; ErrFull if that cannot be at once.
func (ch *Channel) Sink() func(it driver.Item) error {
	a := ch.c.Attach(true, false)
	return func(it driver.Item) error {
		ok, err := ch.c.TrySend(a, &item{it.Value, it.Header}, nil)
		if err == nil && !ok {
			err = fault.ErrFull
		}
		return err
	}
}

// Attach makes an attachment with the rights of cfg.
func (ch *Channel) Attach(cfg driver.Config) (driver.Channel, error) {
	at := &attachment{
		ch:      ch,
		ops:     map[*driver.Op]turn{},
		selects: map[*driver.Op]*engine.AsyncSelect{},
		holds:   map[driver.Hold]handed{},
	}
	ch.c.AttachTo(&at.a, cfg.Send, cfg.Receive)
	return at, nil
}

// Stats returns the channel's figures at this moment.
func (ch *Channel) Stats() driver.Stats { return ch.c.Stats() }

// turn is an operation under way on an Async, which may be used again.
type turn struct {
	x *engine.Async[item]
	n uint64
}

// attachment is one attachment, a driver.Channel.
type attachment struct {
	ch *Channel
	a  engine.Attach

	mu      sync.Mutex // guards what is below
	ops     map[*driver.Op]turn
	idle    []*receive                         // ended, and good for another
	selects map[*driver.Op]*engine.AsyncSelect // begun on this attachment
	holds   map[driver.Hold]handed
	lastID  uint64
	sweep   int // forgetEnded is due when there are so many holds
}

func (at *attachment) Info() driver.Info {
	return driver.Info{
		Name: at.ch.name, Slots: at.ch.c.Slots(), Home: at.ch.home,
		Can: driver.Capabilities{
			Rendezvous: true, Hold: true, Stop: true, DeadLetter: true,
			Select: driver.SelectClaims, Survives: driver.SurvivesPeers,
		},
	}
}

func (at *attachment) Stats() driver.Stats { return at.ch.Stats() }

func (at *attachment) Detach(context.Context) error {
	err := at.ch.c.Detach(&at.a, "its holder detached or died")
	at.mu.Lock()
	defer at.mu.Unlock()
	clear(at.holds)
	at.idle = nil
	return err
}

// Start begins op. Those that cannot wait finish before it returns.
func (at *attachment) Start(op *driver.Op) {
	if op.Ticket != nil { // here is the home, and a Bid is what it has of tickets elsewhere
		op.Err = fault.Because(fault.ErrUnsupported, "a ticket of this process at the home itself")
		op.Finish()
		return
	}
	switch op.Kind {
	case driver.OpSend:
		items := make([]item, len(op.Items))
		for i, it := range op.Items {
			items[i] = item{it.Value, it.Header}
		}
		at.async(op, func(x *engine.Async[item]) { x.BeginSend(items, op.Try) })
	case driver.OpRecv:
		at.receive(op)
	case driver.OpTake:
		at.async(op, func(x *engine.Async[item]) { x.BeginTake(op.Max, op.Try, op.Plain, op.Unheard) })
	case driver.OpAwaitStop:
		at.async(op, func(x *engine.Async[item]) { x.BeginStop() })
	case driver.OpSelect:
		at.startSelect(op)
	case driver.OpLook:
		op.Err = look(op)
		op.Finish()
	default:
		op.Err = at.atOnce(op)
		op.Finish()
	}
}

// async runs op on an Async, which Cancel can find until op has finished.
func (at *attachment) async(op *driver.Op, begin func(*engine.Async[item])) {
	var x *engine.Async[item]
	x = at.ch.c.NewAsync(&at.a, func() {
		at.mu.Lock()
		delete(at.ops, op)
		at.mu.Unlock()
		at.result(op, x)
		op.Finish()
	})
	at.mu.Lock()
	at.ops[op] = turn{x, x.Turn()}
	at.mu.Unlock()
	begin(x)
}

// result copies the outcome of x into op.
func (at *attachment) result(op *driver.Op, x *engine.Async[item]) {
	op.NotReady = x.Unready
	switch op.Kind {
	case driver.OpSend:
		op.N, op.Err = x.Sent()
	case driver.OpAwaitStop:
		if _, op.Err = x.Sent(); op.Err == nil {
			op.Reason, _ = at.ch.c.Stopped()
		}
	default:
		var got []engine.Got[item]
		if got, op.Err = x.Received(); len(got) > 0 {
			op.Got = at.items(op, got)
		}
	}
}

// items are what op received.
func (at *attachment) items(op *driver.Op, got []engine.Got[item]) []driver.Item {
	items := make([]driver.Item, len(got))
	for i := range got {
		g := &got[i]
		items[i] = driver.Item{Value: g.Val.value, Header: g.Val.header, Attempt: g.Attempt}
	}
	switch {
	case op.Kind != driver.OpTake:
	case op.Plain:
		all := make(handed, len(got))
		for i := range got {
			all[i] = got[i].Hold
		}
		name := at.hold(all)
		for i := range items {
			items[i].Hold = name
		}
	default:
		for i := range items {
			items[i].Hold = at.hold(handed{got[i].Hold})
		}
	}
	return items
}

// Cancel ends op because of why, unless it has ended.
func (at *attachment) Cancel(op *driver.Op, why error) {
	at.mu.Lock()
	t, sel := at.ops[op], at.selects[op]
	at.mu.Unlock()
	switch {
	case t.x != nil:
		t.x.CancelTurn(t.n, why)
	case sel != nil:
		sel.Cancel(why, false)
	}
}
