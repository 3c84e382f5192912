// Package home is a channel of bytes at its home: the engine behind the driver
// seam. It is what a hub serves to others, and it waits without goroutines.
package home

import (
	"context"
	"maps"
	"slices"
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
		ops:     map[*driver.Op]*engine.Async[item]{},
		selects: map[*driver.Op]*engine.AsyncSelect{},
		holds:   map[driver.Hold]handed{},
	}
	ch.c.AttachTo(&at.a, cfg.Send, cfg.Receive)
	return at, nil
}

// Stats returns the channel's figures at this moment.
func (ch *Channel) Stats() driver.Stats { return ch.c.Stats() }

// attachment is one attachment, a driver.Channel.
type attachment struct {
	ch *Channel
	a  engine.Attach

	mu      sync.Mutex // guards what is below
	ops     map[*driver.Op]*engine.Async[item]
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
		at.async(op, func(x *engine.Async[item]) { x.BeginRecv(op.Max, op.Try) })
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
	at.ops[op] = x
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

// Cancel ends op because of why, unless it has ended.
func (at *attachment) Cancel(op *driver.Op, why error) {
	at.mu.Lock()
	x, sel := at.ops[op], at.selects[op]
	at.mu.Unlock()
	switch {
	case x != nil:
		x.Cancel(why)
	case sel != nil:
		sel.Cancel(why, false)
	}
}
