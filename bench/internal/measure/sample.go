// Package measure times contenders against each other so that the noise of the
// machine falls on all of them alike, and says how large that noise was.
package measure

import (
	"runtime"
	"sync"
	"time"
)

// Sample is one timed piece of work.
type Sample struct {
	Elapsed time.Duration
	Mallocs uint64 // objects allocated meanwhile, in the whole process
}

// Alone times work on the calling goroutine.
func Alone(work func()) Sample {
	before := mallocs()
	begin := time.Now()
	work()
	elapsed := time.Since(begin)
	return Sample{elapsed, mallocs() - before}
}

// Together times workers that run at the same time, from the moment all may go
// until the last is done. Their goroutines stand ready before the clock starts:
// a hundred of them cost as much to make as thousands of the operations timed.
func Together(workers ...func()) Sample {
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for _, work := range workers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			work()
		})
	}
	ready.Wait()
	before := mallocs()
	begin := time.Now()
	close(gate)
	done.Wait()
	elapsed := time.Since(begin)
	return Sample{elapsed, mallocs() - before}
}

// mallocs stops the world, so it stays outside of what is timed.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// Share is the part of n operations that falls to worker i of k.
func Share(n, k, i int) int {
	share := n / k
	if i < n%k {
		share++
	}
	return share
}
