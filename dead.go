package handoff

import (
	"context"
	"errors"

	"github.com/handoff-go/handoff/internal/engine"
)

// Dead is what a dead-letter channel carries: a value nobody could handle.
type Dead[T any] struct {
	Value    T
	Reason   string // of the last rejection
	Attempts int    // how often it was handed out
	From     string // name of the channel it came from
}

// deadSink opens the dead letter o names, or returns nil if it names none.
//
// Only Make and Open call it, never the channel itself: a channel of T that knew
// how to make a channel of Dead[T] would be infinitely many types.
func deadSink[T any](ctx context.Context, o options) (engine.Dead[T], error) {
	if o.deadLetter == "" {
		return nil, nil
	}
	ch, err := open[Dead[T]](ctx, o.deadLetter, right{send: true}, nil, nil)
	if err != nil {
		return nil, err
	}
	return func(v T, reason string, attempts int) error {
		ok, err := ch.TrySend(Dead[T]{v, reason, attempts, o.name})
		if err == nil && !ok {
			return ErrFull
		}
		if e, is := errors.AsType[*OpError](err); is {
			return e.Err
		}
		return err
	}, nil
}
