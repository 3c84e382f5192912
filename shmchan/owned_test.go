package shmchan

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// ownedMedium is shared memory with the select of the root package below the seam: its channels say that
// one home decides them, and an OpSelect over several of them is decided by its owner, in this
// process, as always. So a select can be handed to the process where its channels are: internal/apart.
//
//	shmowned:NAME
type ownedMedium struct{}

// sameMedium opens the channel that its context carries, whose values are those that travel.
type sameMedium struct{}

func init() {
	driver.Register("shmowned", ownedMedium{})
	driver.Register("shmsame", sameMedium{})
}

func (sameMedium) Open(ctx context.Context, _ *url.URL, _ driver.Config) (driver.Channel, error) {
	return ctx.Value(sameMedium{}).(driver.Channel), nil
}

func (ownedMedium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	shm, _ := driver.Lookup("shm")
	mapped := *u
	mapped.Scheme = "shm"
	cfg.DeadLetter = strings.Replace(cfg.DeadLetter, "shmowned:", "shm:", 1)
	ch, err := shm.Open(ctx, &mapped, cfg)
	if err != nil {
		return nil, err
	}
	o := &owned{Channel: ch}
	o.typed, err = handoff.Open[[]byte](context.WithValue(ctx, sameMedium{}, ch), "shmsame:")
	return o, err
}

// owned is an attachment.
type owned struct {
	driver.Channel
	typed handoff.Chan[[]byte] // the same one

	taken atomic.Uint64
	held  sync.Map // what selects took, by number: handoff.Delivery
}

// ofSelect is the generation of holds that are in owned.held. shm has 32 bits of them.
const ofSelect = 1 << 63

func (o *owned) Info() driver.Info {
	info := o.Channel.Info()
	info.Home, info.Can.Select = "the owner of each select", driver.SelectHome
	return info
}

func (o *owned) Start(op *driver.Op) {
	switch {
	case op.Kind == driver.OpSelect:
		c := &choice{op: op}
		c.ctx, c.cancel = context.WithCancelCause(context.Background())
		op.Note = c
		go c.run()
	case op.Hold.Generation == ofSelect:
		go o.settle(op)
	default:
		o.Channel.Start(op)
	}
}

func (o *owned) Cancel(op *driver.Op, why error) {
	if c, ok := op.Note.(*choice); ok {
		c.cancel(why)
		return
	}
	o.Channel.Cancel(op, why)
}

// settle ends, or extends, the hold of something that a select took.
func (o *owned) settle(op *driver.Op) {
	held, _ := o.held.Load(op.Hold.ID)
	d := held.(handoff.Delivery[[]byte])
	switch op.Kind {
	case driver.OpDone:
		op.Err = d.Done()
	case driver.OpReturn:
		op.Err = d.ReturnAfter(op.Delay)
	case driver.OpReject:
		op.Err = d.Reject(op.Reason)
	case driver.OpExtend:
		op.Err = d.Extend(op.Delay)
	}
	op.Err = inner(op.Err)
	op.Finish()
}

// inner is err without the operation and the channel.
func inner(err error) error {
	if e, ok := errors.AsType[*handoff.OpError](err); ok {
		return e.Err
	}
	return err
}

// choice is a select under way. It is the Note of its Op.
type choice struct {
	op     *driver.Op
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (c *choice) run() {
	defer c.cancel(nil)
	op, ctx := c.op, c.ctx
	var cases []handoff.Case
	for i := range op.Cases {
		k := op.Cases[i].Op
		if o, ok := op.Cases[i].Channel.(*owned); ok {
			cases = append(cases, o.caseOf(k))
		} else { // ready at once
			cases = append(cases, handoff.OnNative(closed, nil))
		}
		if k != nil && k.Kind == driver.OpSend {
			for key, v := range k.Items[0].Header { // the same in all of them: that of the select
				ctx = handoff.WithHeader(ctx, key, v)
			}
		}
	}
	switch {
	case op.Try:
		cases = append(cases, handoff.Default(nil))
	case op.After > 0:
		cases = append(cases, handoff.After(op.After, nil))
	}
	choose := handoff.Select
	if op.First {
		choose = handoff.SelectFirst
	}
	i, err := choose(ctx, cases...)
	c.ended(i, c.reason(err))
	op.Finish()
}

var closed = func() <-chan int { c := make(chan int); close(c); return c }()

// ended sets the results: case i was chosen, and ended with err if it has not said so itself.
func (c *choice) ended(i int, err error) {
	op := c.op
	switch {
	case i < 0:
		op.Err = err
	case i == len(op.Cases) && op.Try:
		op.NotReady = true
	case i == len(op.Cases):
		op.Err = driver.ErrTimeout
	default:
		op.Chosen = i
		if k := op.Cases[i].Op; k != nil && err != nil {
			k.Err = err
		}
	}
}

// reason is err as the seam has it: what cancelled the select is the cause itself.
func (c *choice) reason(err error) error {
	why := context.Cause(c.ctx)
	switch {
	case why == nil || !errors.Is(err, why):
		return inner(err)
	case errors.Is(err, driver.ErrInDoubt):
		return driver.Doubtful(why)
	}
	return why
}

// caseOf is k as a case of the root package, which sets the results of k.
func (o *owned) caseOf(k *driver.Op) handoff.Case {
	got := func(it driver.Item, ok bool) {
		if k.Got = []driver.Item{it}; !ok {
			k.Got, k.Err = nil, driver.ErrClosed
		}
	}
	switch k.Kind {
	case driver.OpSend:
		return o.typed.OnSend(k.Items[0].Value, func() { k.N = 1 })
	case driver.OpRecv:
		return o.typed.OnRecv(func(v []byte, ok bool) { got(driver.Item{Value: v, Attempt: 1}, ok) })
	case driver.OpTake:
		return o.typed.OnTake(func(d handoff.Delivery[[]byte], ok bool) {
			hold := driver.Hold{ID: o.taken.Add(1), Generation: ofSelect}
			o.held.Store(hold.ID, d)
			got(driver.Item{Value: d.Value, Header: d.Header, Attempt: d.Attempt, Hold: hold}, ok)
		})
	}
	return o.typed.OnStop(func(reason string) { k.Reason = reason })
}
