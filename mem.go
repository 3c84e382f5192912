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
	// The dead letter may be a name of this process too, so it is opened before
	// the names are locked.
	var sink engine.Dead[T]
	if dead != nil && o.deadLetter != "" {
		var err error
		if sink, err = dead(ctx, o); err != nil {
			return nil, err
		}
	}
	memory.Lock()
	defer memory.Unlock()
	m, err := memLookup(name, o, reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = &memChannel{c: engine.New(o.config(max(o.slots, 0)), sink), typ: reflect.TypeFor[T](), made: o}
		if memory.named == nil {
			memory.named = map[string]*memChannel{}
		}
		memory.named[name] = m
	}
	m.opens++
	at := &attachment[T]{name: o.name, timeout: o.sendTimeout, left: func() { memLeave(name, m) }}
	at.join(m.c.(*engine.Chan[T]), rt.send, rt.recv)
	return at, nil
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
	defer memory.Unlock()
	if m.opens--; m.opens == 0 && memory.named[name] == m {
		delete(memory.named, name)
	}
}
