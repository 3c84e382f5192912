package handoff

import (
	"context"
	"maps"
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/engine"
)

type headerKey struct{}

// headersUsed spares every send of a program without headers the walk through
// its context.
var headersUsed atomic.Bool

// WithHeader returns a context whose sends carry key and value beside the value,
// in addition to those ctx already has. The receiver reads them in
// Delivery.Header; a plain Recv does not show them.
func WithHeader(ctx context.Context, key, value string) context.Context {
	ctx = background(ctx)
	headersUsed.Store(true)
	h := maps.Clone(headerOf(ctx))
	if h == nil {
		h = engine.Header{}
	}
	h[key] = value
	return context.WithValue(ctx, headerKey{}, h)
}

func headerOf(ctx context.Context) engine.Header {
	if headersUsed.Load() {
		return headerIn(ctx)
	}
	return nil
}

func headerIn(ctx context.Context) engine.Header {
	h, _ := ctx.Value(headerKey{}).(engine.Header)
	return h
}
