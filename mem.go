package handoff

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
)

// memory holds the channels of the scheme mem: by name.
var memory struct {
	sync.Mutex // guards named and, in its entries, what may change
	named      map[string]*memChannel
}

// memChannel is a named channel of this process. It lives until every Open of
// it is detached.
type memChannel struct {
	c     anyChan // an *engine.Chan[T]; nil while it is only a dead letter nobody opened
	typ   reflect.Type
	opens int
	made  options
	grave *grave // its own dead letter, or nil

	// A dead letter may be used before anybody opened it with its type. Until
	// then these are its senders, and what fits into its slots.
	senders []*engine.Attach
	early   []any
}

// anyChan is what can be done with a channel whose type is not known.
type anyChan interface {
	AttachTo(a *engine.Attach, send, recv bool)
	Detach(a *engine.Attach, why string) error
	TrySendAny(a *engine.Attach, v any) (bool, error)
	Remains() int
}

// memName returns the name a mem: URL means.
func memName(u *url.URL, o options) (string, error) {
	name := u.Opaque
	if name == "" || u.Host != "" || u.Path != "" || u.Fragment != "" {
		return "", fault.Malformed("malformed URL: want mem:NAME")
	}
	if err := unknownParameters(u); err != nil {
		return "", err
	}
	return name, o.onlyHere()
}

// openMem attaches to a named channel of this process.
func openMem[T any](ctx context.Context, u *url.URL, o options, rt right) (*attachment[T], error) {
	name, err := memName(u, o)
	if err != nil {
		return nil, err
	}
	if o.name == "" {
		o.name = name
	}
	m, err := memJoin(name, o, reflect.TypeFor[T](), o.deadLetter != "", nil)
	if err == nil && m == nil {
		// It is to be made, with a dead letter. That may be a name of this process
		// too, so it is opened while the names are free.
		var g *grave
		if g, err = openGrave(ctx, o, reflect.TypeFor[Dead[T]]()); err == nil {
			if m, err = memJoin(name, o, reflect.TypeFor[T](), false, g); err != nil || m.grave != g {
				g.done()
			}
		}
	}
	if err != nil {
		return nil, err
	}
	at := &attachment[T]{timeout: o.sendTimeout, about: &about{name: o.name, left: func() { memLeave(name, m) }}}
	at.join(memTyped[T](m), rt.send, rt.recv)
	return at, nil
}

// memTyped returns the channel of m, made at the first call.
func memTyped[T any](m *memChannel) *engine.Chan[T] {
	memory.Lock()
	defer memory.Unlock()
	if m.c != nil {
		return m.c.(*engine.Chan[T])
	}
	c := engine.New(m.made.config(max(m.made.slots, 0)), buryIn[T](m.grave, m.made.name))
	for _, a := range m.senders {
		c.AttachTo(a, true, false)
	}
	if len(m.early) > 0 { // whoever buried them may have left
		a := c.Attach(true, false)
		for _, v := range m.early {
			c.TrySendAny(a, v)
		}
		c.Detach(a, "")
	}
	m.c, m.senders, m.early = c, nil, nil
	return c
}

// memGrave attaches a sender of dead letters of typ to a named channel of this
// process.
func memGrave(u *url.URL, o options, typ reflect.Type) (*grave, error) {
	name, err := memName(u, o)
	if err != nil {
		return nil, err
	}
	if o.name == "" {
		o.name = name
	}
	m, err := memJoin(name, o, typ, false, nil)
	if err != nil {
		return nil, err
	}
	g := &memSender{m: m}
	memory.Lock()
	if m.c == nil {
		m.senders = append(m.senders, &g.a)
	} else {
		m.c.AttachTo(&g.a, true, false)
	}
	memory.Unlock()
	return &grave{put: g.bury, close: func() { g.leave(name) }}, nil
}

// memSender is the attachment of one who buries in m.
type memSender struct {
	m    *memChannel
	a    engine.Attach
	left bool // guarded by memory
}

// bury sends dead if that is possible without waiting.
func (g *memSender) bury(dead any) error {
	m := g.m
	memory.Lock()
	c := m.c
	if g.left || c == nil {
		defer memory.Unlock()
		switch {
		case g.left:
			return ErrDetached
		case len(m.early) >= m.made.slots:
			return ErrFull
		}
		m.early = append(m.early, dead)
		return nil
	}
	memory.Unlock()
	ok, err := c.TrySendAny(&g.a, dead)
	if err == nil && !ok {
		return ErrFull
	}
	return err
}

// leave ends the attachment.
func (g *memSender) leave(name string) {
	m := g.m
	memory.Lock()
	g.left = true
	c := m.c
	if c == nil {
		m.senders = slices.DeleteFunc(m.senders, func(a *engine.Attach) bool { return a == &g.a })
	}
	memory.Unlock()
	if c != nil {
		c.Detach(&g.a, "its holder detached")
	}
	memLeave(name, m)
}

// memJoin counts one Open into the channel called name, and makes it if it is
// not there; but with justLook it then returns nil.
func memJoin(name string, o options, typ reflect.Type, justLook bool, g *grave) (*memChannel, error) {
	memory.Lock()
	defer memory.Unlock()
	m, err := memLookup(name, o, typ)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if justLook {
			return nil, nil
		}
		m = &memChannel{typ: typ, made: o, grave: g}
		if memory.named == nil {
			memory.named = map[string]*memChannel{}
		}
		memory.named[name] = m
	}
	m.opens++
	return m, nil
}

// memLookup returns the channel called name if it is there and is what o and
// typ want, nil if it is to be made. The names are locked.
func memLookup(name string, o options, typ reflect.Type) (*memChannel, error) {
	m := memory.named[name]
	if m == nil {
		if o.createMode() == driver.CreateNo {
			return nil, ErrNotFound
		}
		return nil, nil
	}
	if o.createMode() == driver.CreateNew {
		return nil, fault.Because(ErrConflict, "it exists already")
	}
	if m.typ != typ {
		return nil, fault.Because(ErrTypeMismatch, "it carries %v, not %v", m.typ, typ)
	}
	return m, m.made.contradicts(o)
}

// contradicts says which property the second opener sees differently from the
// first. What he does not say, he accepts.
func (o options) contradicts(later options) error {
	differs := func(name string, said bool, was, is any) error {
		if said && was != is {
			return fault.Because(ErrConflict, "it has %s=%v, not %v", name, was, is)
		}
		return nil
	}
	for _, err := range []error{
		differs("slots", later.slots >= 0, max(o.slots, 0), later.slots),
		differs("maxhold", later.maxHold != 0, o.maxHold, later.maxHold),
		differs("maxattempts", later.maxAttempts != 0, o.maxAttempts, later.maxAttempts),
		differs("deadletter", later.deadLetter != "", o.deadLetter, later.deadLetter),
		differs("autoclose", later.autoClose, o.autoClose, later.autoClose),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// memLeave counts one Open of m out; the last one takes the name with it.
func memLeave(name string, m *memChannel) {
	memory.Lock()
	m.opens--
	last := m.opens == 0 && memory.named[name] == m
	if last {
		delete(memory.named, name)
	}
	c, lost := m.c, len(m.early)
	memory.Unlock()
	if !last {
		return
	}
	if c != nil {
		lost = c.Remains()
	}
	if lost > 0 {
		event.Emit(event.Event{
			Kind: event.Dropped, Channel: m.made.name, Op: "detach",
			Reason: fmt.Sprintf("the last Open is detached; values in slots: %d", lost),
		})
	}
	m.grave.done() // it may be a name of this process too
}
