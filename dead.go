package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"sync"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
)

// Dead is what a dead-letter channel carries: a value nobody could handle.
type Dead[T any] struct {
	Value    T
	Reason   string // of the last rejection
	Attempts int    // how often it was handed out
	From     string // name of the channel it came from
}

// grave is an open dead letter. It takes a Dead[T] as any: a channel of T that
// named the channel of Dead[T] in its code would be compiled twice, and its dead
// letter's twice again.
type grave struct {
	put   func(dead any) error
	close func()
}

// openGrave opens the dead letter of o for values of typ, a Dead[T]. It returns
// nil if o names none.
func openGrave(ctx context.Context, o options, typ reflect.Type) (*grave, error) {
	if o.deadLetter == "" {
		return nil, nil
	}
	u, do, err := parse(o.deadLetter, nil)
	if err != nil {
		return nil, err
	}
	if do.deadLetter != "" {
		return nil, fault.Because(ErrConflict, "a dead letter has no dead letter")
	}
	var g *grave
	if u.Scheme == "mem" {
		g, err = memGrave(u, do, typ)
	} else {
		g, err = farGrave(ctx, u, do, typ)
	}
	if err != nil {
		return nil, err
	}
	g.close = sync.OnceFunc(g.close)
	return g, nil
}

// farGrave opens a dead letter on a medium.
func farGrave(ctx context.Context, u *url.URL, o options, typ reflect.Type) (*grave, error) {
	medium, err := mediumOf(u)
	if err != nil {
		return nil, err
	}
	c, err := deadEncoder(typ, codec.Options{Format: codec.Format(o.codec), Schema: o.schema})
	if err != nil {
		return nil, err
	}
	l, err := openLink(ctx, medium, u, o, right{send: true}, c)
	if err != nil {
		return nil, err
	}
	put := func(dead any) error {
		b, err := c.appendAny(nil, dead)
		if err != nil {
			return err
		}
		op := &driver.Op{Kind: driver.OpSend, Items: []driver.Item{{Value: b}}, Try: true}
		if err := l.run(context.Background(), op, l.opTimeout, ErrUnreachable); err != nil {
			return err
		}
		if op.N == 0 {
			return ErrFull
		}
		return nil
	}
	return &grave{put, func() { l.detach() }}, nil
}

// buryIn returns what the engine calls to bury a value, nil if there is no dead
// letter.
func buryIn[T any](g *grave, from string) engine.Dead[T] {
	if g == nil {
		return nil
	}
	return func(v T, reason string, attempts int) error {
		err := g.put(Dead[T]{v, reason, attempts, from})
		switch {
		case err == nil || errors.Is(err, ErrFull):
			return err
		case errors.Is(err, ErrInDoubt):
			event.Emit(event.Event{Kind: event.Doubt, Channel: from, Op: "reject", Reason: "dead letter: " + err.Error(), Attempt: attempts})
			return fault.Because(ErrInDoubt, "dead letter: %v", err)
		}
		// Its error is not this channel's: a closed dead letter closes nothing here.
		return fmt.Errorf("dead letter: %v", err)
	}
}

// done lets the dead letter go, if there is one.
func (g *grave) done() {
	if g != nil {
		g.close()
	}
}
