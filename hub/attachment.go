package hub

import (
	"slices"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// attachment serves one attachment of a client.
type attachment struct {
	s        *session
	id       uint32
	name     string // of the channel
	asked    right  // by OPEN, and asked for again when the client comes back
	ch       driver.Channel
	poster   driver.Poster // ch, if it is one
	maxValue int
	canSend  bool
	canRecv  bool

	mu        sync.Mutex // guards the rest and the fields of every op in ops
	ops       map[uint64]*op
	sending   waiting
	receiving waiting
	stopping  waiting
	bytes     int // values in sends that wait
	delivering
}

// waiting counts the operations of one class that may wait.
type waiting int

// op is one operation of a client. The driver's Op is the home's until done.
type op struct {
	driver.Op
	a     *attachment
	id    uint64
	class *waiting
	cost  int
	plain bool // a RECV, which is a TAKE at its home

	beginning bool       // Start has not returned
	rest      *driver.Op // takes what else is there, once the first values came
	done      bool
	cancelled bool // CANCEL came before it was done
	over      chan struct{}
	holds     []driver.Hold // delivered, until TAKEN or CANCEL
}

func newAttachment(s *session, f *wire.Open, ch driver.Channel) *attachment {
	sends, receives := f.Flags&wire.OpenSend != 0, f.Flags&wire.OpenReceive != 0
	poster, _ := ch.(driver.Poster)
	return &attachment{
		s: s, poster: poster, id: f.Channel, name: f.Name, asked: asks(sends, receives, f.Flags&wire.OpenCloseWhenSendersGone != 0),
		ch: ch, ops: map[uint64]*op{}, canSend: sends, canRecv: receives,
	}
}

// granted is the answer to OPEN.
func (a *attachment) granted(f *wire.Open) *wire.Opened {
	info := a.ch.Info()
	o := &wire.Opened{
		Channel: f.Channel, Op: f.Op, Slots: uint32(info.Slots), MaxValue: uint32(a.maxValue),
		Ops: uint32(a.s.hub.opts.MaxWaiting), Bytes: uint32(a.s.hub.opts.MaxWaitBytes),
		Select: uint8(info.Can.Select), Survives: uint8(info.Can.Survives), Name: info.Name,
	}
	for flag, can := range map[uint8]bool{
		wire.CanRendezvous: info.Can.Rendezvous, wire.CanHold: info.Can.Hold,
		wire.CanStop: info.Can.Stop, wire.CanDeadLetter: info.Can.DeadLetter,
	} {
		if can {
			o.Flags |= flag
		}
	}
	return o
}

// send begins a SEND.
func (a *attachment) send(f *wire.Send) error {
	if !a.canSend {
		return a.denied(&op{id: f.Op}, "to send")
	}
	cost := 0
	for i := range f.Items {
		if n := len(f.Items[i].Value); n > a.maxValue {
			return wire.Unexpected(wire.TypeSend, "of a value over the channel's limit")
		}
		cost += wire.Cost(&f.Items[i])
	}
	try := f.Flags&wire.FlagTry != 0
	items := a.s.room.kept(f.Items, a.s.in.Lasting())
	defer clear(items)
	if a.poster != nil && (!try || len(items) == 1) {
		if ok, then := a.poster.Post(items); ok {
			a.s.later(then)
			a.s.answer(&wire.End{Channel: a.id, Op: f.Op, N: uint32(len(items))}, nil)
			return nil
		}
	}
	d := driver.Op{Kind: driver.OpSend, Try: try, Items: slices.Clone(items)}
	return a.wait(&a.sending, &op{id: f.Op, cost: cost}, d)
}

// receive begins a RECV or a TAKE. For its home both are a Take: the values are
// held until the client has said that it has them.
func (a *attachment) receive(f *wire.Receive) error {
	o := &op{id: f.Op, plain: f.Type == wire.TypeRecv}
	if !a.canRecv {
		return a.denied(o, "to receive")
	}
	d := driver.Op{Kind: driver.OpTake, Try: f.Flags&wire.FlagTry != 0, Max: int(min(f.Max, wire.MaxBatch)), Plain: o.plain, Unheard: true}
	return a.wait(&a.receiving, o, d)
}

func (a *attachment) denied(o *op, what string) error {
	a.s.answer(&wire.End{Channel: a.id, Op: o.id}, fault.Because(fault.ErrDenied, "opened without the right %s", what))
	return nil
}

// stop begins a STOP, which is the receivers' to say.
func (a *attachment) stop(f *wire.Stop) {
	o := &op{id: f.Op}
	if err := a.s.opener().needs(a.name, mayReceive); err != nil {
		a.s.answer(&wire.End{Channel: a.id, Op: f.Op}, err)
		return
	}
	a.start(o, driver.Op{Kind: driver.OpStop, Reason: f.Reason})
}

// settle begins a SETTLE.
func (a *attachment) settle(f *wire.Settle) {
	kinds := [...]driver.Kind{
		wire.HowDone: driver.OpDone, wire.HowReturn: driver.OpReturn,
		wire.HowReject: driver.OpReject, wire.HowExtend: driver.OpExtend,
	}
	a.start(&op{id: f.Op}, driver.Op{Kind: kinds[f.How], Hold: f.Hold, Delay: f.Delay, Reason: f.Reason})
}

// wait begins an operation that counts against the limit of its class, unless it
// only tries.
func (a *attachment) wait(class *waiting, o *op, d driver.Op) error {
	if !d.Try {
		if err := a.s.account.hold(o.cost); err != nil {
			a.s.answer(&wire.End{Channel: a.id, Op: o.id}, err)
			return nil
		}
		o.class = class
		a.mu.Lock()
		alone := *class == 0
		*class++
		a.bytes += o.cost
		over := int(*class) > a.s.hub.opts.MaxWaiting || a.bytes > a.s.hub.opts.MaxWaitBytes && !alone && class == &a.sending
		a.mu.Unlock()
		if over {
			a.s.account.release(o.cost)
			return &wire.Error{Code: wire.CodeLimit, Text: "more operations wait than this home allows"}
		}
	}
	a.start(o, d)
	return nil
}

// start hands an operation to the home.
func (a *attachment) start(o *op, d driver.Op) {
	o.a = a
	o.Op = *driver.NewOp(d.Kind, o.finished)
	o.Try, o.Items, o.Max, o.Plain, o.Unheard = d.Try, d.Items, d.Max, d.Plain, d.Unheard
	o.Hold, o.Delay, o.Reason = d.Hold, d.Delay, d.Reason
	a.mu.Lock()
	a.ops[o.id] = o
	o.beginning = true
	a.mu.Unlock()
	a.ch.Start(&o.Op)
	a.mu.Lock()
	o.beginning = false
	a.mu.Unlock()
}

// takeRest reports whether o, a receive of many that had to wait, is to take what
// else is there now that its first value came. mu is held.
func (o *op) takeRest() bool {
	if o.rest != nil || o.Kind != driver.OpTake || o.beginning || o.cancelled || len(o.Got) == 0 || len(o.Got) >= o.Max {
		return false
	}
	o.rest = driver.NewOp(driver.OpTake, o.finished)
	o.rest.Try, o.rest.Max = true, o.Max-len(o.Got)
	o.rest.Plain, o.rest.Unheard = o.Plain, o.Unheard
	return true
}

// finished is told by the home that o has ended. It does not block.
func (o *op) finished(*driver.Op) {
	a := o.a
	a.mu.Lock()
	if o.takeRest() {
		a.mu.Unlock()
		a.ch.Start(o.rest)
		return
	}
	if o.rest != nil {
		o.Got = append(o.Got, o.rest.Got...)
	}
	o.done = true
	if o.class != nil {
		*o.class--
		a.bytes -= o.cost
		a.s.account.release(o.cost)
	}
	var deliver []driver.Item
	if len(o.Got) > 0 && !o.cancelled {
		deliver = o.Got
		o.remember(o.Got)
	} else {
		delete(a.ops, o.id)
	}
	over := o.over
	a.mu.Unlock()

	switch {
	case deliver != nil:
		a.deliver(o, deliver)
		o.Got = nil
	case len(o.Got) > 0:
		// It was cancelled while a value came: nobody has seen that.
		o.remember(o.Got)
		for _, hold := range o.holds {
			a.unseen(hold)
		}
		a.s.answer(&wire.End{Channel: a.id, Op: o.id}, wire.ErrCancelled)
	default:
		a.answer(o)
	}
	if over != nil {
		close(over)
	}
}

// remember notes by which holds got is held. Those of a plain receive come in runs
// with the same.
func (o *op) remember(got []driver.Item) {
	if o.holds == nil && !o.plain {
		o.holds = make([]driver.Hold, 0, len(got))
	}
	for i := range got {
		if n := len(o.holds); n == 0 || o.holds[n-1] != got[i].Hold {
			o.holds = append(o.holds, got[i].Hold)
		}
	}
}

// answer sends END for an operation without values.
func (a *attachment) answer(o *op) {
	f := wire.End{Channel: a.id, Op: o.id, N: uint32(o.N)}
	if o.NotReady {
		f.Flags |= wire.EndNotReady
	}
	if o.Kind == driver.OpAwaitStop {
		f.Text = o.Reason
	}
	err := o.Err
	if a.s.parts(err) {
		err = errClosing
	}
	a.s.answer(&f, err)
}

// taken hears that the client has the values of a delivery.
func (a *attachment) taken(id uint64) error {
	a.mu.Lock()
	o := a.hear(id)
	a.mu.Unlock()
	if o == nil {
		return wire.Unexpected(wire.TypeTaken, "of what was not delivered")
	}
	for _, hold := range o.holds {
		a.has(hold, o.plain)
	}
	return nil
}

// has tells the home that the client has a value, which a plain receive confirms.
func (a *attachment) has(hold driver.Hold, plain bool) {
	kind := driver.OpHeard
	if plain {
		kind = driver.OpDone
	}
	has := driver.NewOp(kind, ignore)
	has.Hold = hold
	a.ch.Start(has)
}

// hear takes the delivery called id out of those the client has to answer. It
// returns nil if there is none. mu is held.
func (a *attachment) hear(id uint64) *op {
	o := a.ops[id]
	if o == nil || !o.done {
		return nil
	}
	delete(a.ops, id)
	return o
}

// cancel ends an operation because its client asks for it. What was delivered
// goes back unseen. When it returns, a receive has ended: the next frame may be
// another receive, which must find a value that goes back in its place.
func (a *attachment) cancel(id uint64) {
	a.mu.Lock()
	o := a.ops[id]
	if o == nil || o.cancelled || o.done {
		o := a.hear(id)
		a.mu.Unlock()
		if o != nil { // it was delivered, perhaps a moment ago
			for _, hold := range o.holds {
				a.unseen(hold)
			}
		}
		return // else it has ended otherwise
	}
	o.cancelled = true
	var over chan struct{}
	if o.Kind == driver.OpTake {
		over = make(chan struct{})
		o.over = over
	}
	a.mu.Unlock()
	a.ch.Cancel(&o.Op, wire.ErrCancelled)
	if over != nil {
		<-over
	}
}

// unseen puts a value back that no receiver has seen.
func (a *attachment) unseen(hold driver.Hold) {
	back := driver.NewOp(driver.OpReturn, ignore)
	back.Hold, back.Unseen = hold, true
	a.ch.Start(back)
}

// ignore is the end of an operation whose outcome is nobody's business: a value
// that its holder has, or that went back, whatever the channel thinks of it.
func ignore(*driver.Op) {}
