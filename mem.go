package handoff

import (
	"context"
	"net/url"
	"reflect"
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
}

// memName returns the name a mem: URL means.
func memName(u *url.URL, o options) (string, error) {
	name := u.Opaque
	if name == "" || u.Host != "" || u.Path != "" || u.Fragment != "" {
		return "", fault.Because(ErrConflict, "malformed URL: want mem:NAME")
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
	at := &attachment[T]{name: o.name, timeout: o.sendTimeout, left: func() { memLeave(name, m) }}
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
	for _, v := range m.early {
		c.TrySendAny(m.senders[0], v)
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
	a := &engine.Attach{}
	memory.Lock()
	if m.c == nil {
		m.senders = append(m.senders, a)
	} else {
		m.c.AttachTo(a, true, false)
	}
	memory.Unlock()
	return &grave{
		put:   func(dead any) error { return m.bury(a, dead) },
		close: func() { m.leaveGrave(name, a) },
	}, nil
}

// bury sends dead if that is possible without waiting.
func (m *memChannel) bury(a *engine.Attach, dead any) error {
	memory.Lock()
	c := m.c
	if c == nil {
		defer memory.Unlock()
		if len(m.early) >= m.made.slots {
			return ErrFull
		}
		m.early = append(m.early, dead)
		return nil
	}
	memory.Unlock()
	ok, err := c.TrySendAny(a, dead)
	if err == nil && !ok {
		return ErrFull
	}
	return err
}

// leaveGrave ends the attachment a. What was buried before anybody opened the
// dead letter goes with the last one that knows its name.
func (m *memChannel) leaveGrave(name string, a *engine.Attach) {
	memory.Lock()
	c := m.c
	memory.Unlock()
	if c != nil {
		c.Detach(a, "its holder detached")
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
	last := false
	if m.opens--; m.opens == 0 && memory.named[name] == m {
		delete(memory.named, name)
		last = true
	}
	memory.Unlock()
	if last {
		for range m.early {
			event.Emit(event.Event{Kind: event.Dropped, Channel: m.made.name, Op: "detach", Reason: "a dead letter nobody ever opened"})
		}
		m.grave.done() // it may be a name of this process too
	}
}
