// Package toy is a medium as small as one can be: named channels in the memory
// of this process, each a list under one lock. It is what docs/medium.md builds
// step by step, and it is made of nothing but what package driver exports.
//
//	import _ "github.com/handoff-go/handoff/drivertest/toy"
//
//	ch, err := handoff.Open[string](ctx, "toy:words?slots=2")
//
// It keeps every law it declares: exact slots, rendezvous, order, batches, holds,
// close, stop, cancel, detach. It has no select over several channels, no bound
// on holds and no dead letter, and refuses them.
package toy

import (
	"container/list"
	"context"
	"net/url"
	"sync"

	"github.com/handoff-go/handoff/driver"
)

func init() { driver.Register("toy", medium{}) }

// medium opens the channels of the scheme.
type medium struct{}

// channels are those that are open.
var channels = struct {
	sync.Mutex // guards named; taken before the lock of a channel
	named      map[string]*channel
}{named: map[string]*channel{}}

// Open implements driver.Medium.
func (medium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	name := u.Opaque
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case name == "" || u.Host != "" || u.Path != "" || u.Fragment != "":
		return nil, driver.Because(driver.ErrConflict, "malformed URL: want toy:NAME")
	case u.RawQuery != "": // the layer above has taken out what is not ours
		return nil, driver.Because(driver.ErrConflict, "unknown parameters %s", u.RawQuery)
	case cfg.MaxHold > 0 || cfg.MaxAttempts > 0 || cfg.DeadLetter != "":
		return nil, driver.Because(driver.ErrUnsupported, "a toy bounds no holds and has no dead letter")
	}
	channels.Lock()
	defer channels.Unlock()
	c := channels.named[name]
	if err := agrees(c, cfg); err != nil {
		return nil, err
	}
	if c == nil {
		c = &channel{name: name, cfg: cfg, slots: max(cfg.Slots, 0), held: map[driver.Hold]*value{}, ends: map[*attachment]bool{}}
		channels.named[name] = c
	}
	a := &attachment{c: c, sends: cfg.Send, receives: cfg.Receive}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends[a] = true
	return a, nil
}

// agrees says what cfg wants otherwise than c is. What it does not say, it
// accepts. c is nil if there is none yet.
func agrees(c *channel, cfg driver.Config) error {
	switch {
	case c == nil && cfg.Create == driver.CreateNo:
		return driver.ErrNotFound
	case c == nil:
		return nil
	case cfg.Create == driver.CreateNew:
		return driver.Because(driver.ErrConflict, "it exists already")
	case cfg.Type != c.cfg.Type:
		return driver.Because(driver.ErrTypeMismatch, "it carries %q, not %q", c.cfg.Type, cfg.Type)
	case cfg.Slots >= 0 && cfg.Slots != c.slots:
		return driver.Because(driver.ErrConflict, "it has slots=%d, not %d", c.slots, cfg.Slots)
	case cfg.MaxValue > 0 && cfg.MaxValue != c.cfg.MaxValue:
		return driver.Because(driver.ErrConflict, "it has maxvalue=%d, not %d", c.cfg.MaxValue, cfg.MaxValue)
	case cfg.CloseWhenSendersGone && !c.cfg.CloseWhenSendersGone:
		return driver.Because(driver.ErrConflict, "it has autoclose=false, not true")
	}
	return nil
}

// attachment is one attachment, a driver.Channel.
type attachment struct {
	c               *channel
	sends, receives bool
	detached        bool // guarded by the channel's lock
}

// Info implements driver.Channel.
func (a *attachment) Info() driver.Info {
	return driver.Info{Name: a.c.name, Slots: a.c.slots, Can: driver.Capabilities{Rendezvous: true, Hold: true, Stop: true}}
}

// Stats implements driver.Channel.
func (a *attachment) Stats() (s driver.Stats) {
	a.c.do(func() { s = a.c.stats() })
	return s
}

// Start implements driver.Channel. It never blocks: what cannot be done at once
// waits in one of the channel's lists.
func (a *attachment) Start(op *driver.Op) {
	a.c.do(func() {
		switch {
		case !a.detached:
			a.c.start(a, op)
		case op.Kind == driver.OpDone || op.Kind == driver.OpReturn || op.Kind == driver.OpReject:
			a.c.end(op, driver.ErrSettled) // what it held has gone back
		default:
			a.c.end(op, driver.ErrDetached)
		}
	})
}

// Cancel implements driver.Channel.
func (a *attachment) Cancel(op *driver.Op, why error) {
	a.c.do(func() {
		if w, ok := op.Note.(*waiter); ok && w.in != nil {
			a.c.giveUp(w, why)
			a.c.move()
		}
	})
}

// Detach implements driver.Channel.
func (a *attachment) Detach(context.Context) error {
	err := driver.ErrDetached
	channels.Lock()
	a.c.do(func() {
		if !a.detached {
			err = nil
			a.c.detach(a)
		}
		if len(a.c.ends) == 0 && channels.named[a.c.name] == a.c {
			delete(channels.named, a.c.name)
			a.c.lose()
		}
		channels.Unlock() // before operations are finished
	})
	return err
}

// waiter is an operation that waits, from Start to Finish. Op.Note is its waiter.
type waiter struct {
	op   *driver.Op
	at   *attachment
	in   *list.List // where it waits, nil once it has ended
	elem *list.Element
	v    *value // OpSend: the value it offers
}
