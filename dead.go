package handoff

import (
	"context"
	"errors"
	"sync"

	"github.com/handoff-go/handoff/internal/engine"
)

// Dead is what a dead-letter channel carries: a value nobody could handle.
type Dead[T any] struct {
	Value    T
	Reason   string // of the last rejection
	Attempts int    // how often it was handed out
	From     string // name of the channel it came from
}

// sink is an open dead letter.
type sink[T any] struct {
	put   engine.Dead[T]
	close func()
}

// sinkMaker opens the dead letter o names; the sink is nil if it names none.
type sinkMaker[T any] func(ctx context.Context, o options) (*sink[T], error)

// deadSink is the sinkMaker of T.
//
// Only Make and Open call it, never the channel itself: a channel of T that knew
// how to make a channel of Dead[T] would be infinitely many types.
func deadSink[T any](ctx context.Context, o options) (*sink[T], error) {
	if o.deadLetter == "" {
		return nil, nil
	}
	ch, err := open[Dead[T]](ctx, o.deadLetter, right{send: true}, nil, nil)
	if err != nil {
		return nil, err
	}
	put := func(v T, reason string, attempts int) error {
		ok, err := ch.TrySend(Dead[T]{v, reason, attempts, o.name})
		if err == nil && !ok {
			return ErrFull
		}
		if e, is := errors.AsType[*OpError](err); is {
			return e.Err
		}
		return err
	}
	return &sink[T]{put, sync.OnceFunc(func() { ch.Detach() })}, nil
}

// dead is what the engine calls; nil if there is no dead letter.
func (s *sink[T]) dead() engine.Dead[T] {
	if s == nil {
		return nil
	}
	return s.put
}

// done closes the dead letter, if there is one.
func (s *sink[T]) done() {
	if s != nil {
		s.close()
	}
}
