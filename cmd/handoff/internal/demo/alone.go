package demo

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// alone counts the same files in this process, with goroutines and no channel of
// ours: what it finds is what the workers should have found.
func (d *demo) alone(ctx context.Context) ([]counts, error) {
	found := make([]counts, len(d.list.paths))
	start := time.Now()
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(found) {
					return
				}
				found[i] = count(d.Dir, d.list.paths[i])
				d.progress("in one process", int(done.Add(1)), start)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, nil
}
