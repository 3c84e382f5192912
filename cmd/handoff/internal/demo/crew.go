package demo

import (
	"context"
	"sync"
)

// crew is goroutines that stand or fall together: the first that fails ends the
// context of all. Whoever makes a crew waits for it.
type crew struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once
	err    error // the first failure, which is the cause of all later ones
}

func newCrew(ctx context.Context) *crew {
	c := &crew{}
	c.ctx, c.cancel = context.WithCancel(ctx)
	return c
}

func (c *crew) do(f func(context.Context) error) {
	c.wg.Go(func() {
		if err := f(c.ctx); err != nil {
			c.once.Do(func() { c.err = err })
			c.cancel()
		}
	})
}

// wait returns when all have ended, with the first failure.
func (c *crew) wait() error {
	c.wg.Wait()
	c.cancel()
	return c.err
}
