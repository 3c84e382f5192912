package handoff

import (
	"context"
	"net/url"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// far is a channel on a medium.
type far[T any] struct{ ch driver.Channel }

func openFar[T any](ctx context.Context, m driver.Medium, u *url.URL, o options, rt right) (*attachment[T], error) {
	return nil, ErrUnsupported
}
func (f *far[T]) stats() Stats                                                   { return f.ch.Stats() }
func (f *far[T]) slots() int                                                     { return f.ch.Info().Slots }
func (f *far[T]) detach() error                                                  { return nil }
func (at *attachment[T]) sendFar(ctx context.Context, v T) error                 { return at.bad }
func (at *attachment[T]) trySendFar(v T) (bool, error)                           { return false, at.bad }
func (at *attachment[T]) sendAllFar(ctx context.Context, vs []T) (int, error)    { return 0, at.bad }
func (at *attachment[T]) closeFar() error                                        { return at.bad }
func (at *attachment[T]) stopFar(reason string) error                            { return at.bad }
func (at *attachment[T]) recvFar(ctx context.Context) (v T, err error)           { return v, at.bad }
func (at *attachment[T]) tryRecvFar() (v T, ok bool, err error)                  { return v, false, at.bad }
func (at *attachment[T]) recvIntoFar(ctx context.Context, buf []T) (int, error)  { return 0, at.bad }
func (at *attachment[T]) takeFar(ctx context.Context) (d Delivery[T], err error) { return d, at.bad }
func (at *attachment[T]) takeIntoFar(ctx context.Context, buf []Delivery[T]) (int, error) {
	return 0, at.bad
}
func (at *attachment[T]) settleFar(k driver.Kind, h driver.Hold, d time.Duration, reason string) error {
	return at.bad
}
