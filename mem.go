package handoff

import (
	"context"
	"net/url"
	"reflect"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/fault"
)

// memory holds the channels of the scheme mem: by name.
var memory struct {
	sync.Mutex // guards named and, in its entries, opens
	named      map[string]*memChannel
}

// memChannel is a named channel of this process. It lives until every Open of
// it is detached.
type memChannel struct {
	c     any // *engine.Chan[T]
	typ   reflect.Type
	opens int
	made  options
	sink  any    // its dead letter, a *sink[T]
	undo  func() // lets the dead letter go
}

// openMem attaches to a named channel of this process.
func openMem[T any](ctx context.Context, u *url.URL, o options, rt right, dead sinkMaker[T]) (*attachment[T], error) {
	name := u.Opaque
	if name == "" || u.Host != "" || u.Path != "" || u.Fragment != "" {
		return nil, fault.Because(ErrConflict, "malformed URL: want mem:NAME")
	}
	if err := unknownParameters(u); err != nil {
		return nil, err
	}
	if err := o.onlyHere(); err != nil {
		return nil, err
	}
	if o.name == "" {
		o.name = name
	}
	m, err := memJoin[T](name, o, nil, o.deadLetter != "" && dead != nil)
	if err == nil && m == nil {
		// It is to be made, with a dead letter. That may be a name of this process
		// too, so it is opened while the names are free.
		var d *sink[T]
		if d, err = dead(ctx, o); err == nil {
			if m, err = memJoin(name, o, d, false); err != nil || m.sink != any(d) {
				d.done()
			}
		}
	}
	if err != nil {
		return nil, err
	}
	at := &attachment[T]{name: o.name, timeout: o.sendTimeout, left: func() { memLeave(name, m.memChannel) }}
	at.join(m.c, rt.send, rt.recv)
	return at, nil
}

// memJoined is a named channel of known type, counted in.
type memJoined[T any] struct {
	*memChannel
	c *engine.Chan[T]
}

// memJoin counts one Open into the channel called name, and makes it if it is
// not there; but with justLook it then returns nil.
func memJoin[T any](name string, o options, dead *sink[T], justLook bool) (*memJoined[T], error) {
	memory.Lock()
	defer memory.Unlock()
	typ := reflect.TypeFor[T]()
	m, err := memLookup(name, o, typ)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if justLook {
			return nil, nil
		}
		m = &memChannel{c: engine.New(o.config(max(o.slots, 0)), dead.dead()), typ: typ, made: o, sink: dead, undo: dead.done}
		if memory.named == nil {
			memory.named = map[string]*memChannel{}
		}
		memory.named[name] = m
	}
	m.opens++
	return &memJoined[T]{m, m.c.(*engine.Chan[T])}, nil
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
		m.undo() // the dead letter may be a name of this process too
	}
}
