package shape

import (
	"context"
	"sync/atomic"
)

// countdown ends a context once so many values were received, where no receiver
// can be told its share beforehand.
type countdown struct {
	ctx    context.Context
	cancel context.CancelFunc
	_      [64]byte // what is written is not beside what is read
	left   atomic.Int64
}

func newCountdown(n int) *countdown {
	c := &countdown{}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.left.Store(int64(n))
	return c
}

func (c *countdown) one() { c.some(1) }

func (c *countdown) some(n int) {
	if c.left.Add(int64(-n)) == 0 {
		c.cancel()
	}
}
