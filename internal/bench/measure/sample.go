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
	Mallocs uint64        // objects allocated meanwhile, in the whole process
	CPU     time.Duration // of the whole process meanwhile, user and system
	// Each is what every operation took, of work that times them one by one.
	Each []time.Duration
	// Elsewhere says that another process did the work: what it allocated is
	// not known, and CPU is its own.
	Elsewhere bool
}

// Alone times work on the calling goroutine.
func Alone(work func()) Sample {
	m := start()
	work()
	return m.stop()
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
	m := start()
	close(gate)
	done.Wait()
	return m.stop()
}

// meter is what the clocks and counters said when work began.
type meter struct {
	mallocs uint64
	cpu     time.Duration
	begin   time.Time
}

// start reads the cheapest last, so that the other readings are not timed.
func start() meter {
	m := meter{mallocs: mallocs(), cpu: cpuTime()}
	m.begin = time.Now()
	return m
}

func (m meter) stop() Sample {
	elapsed := time.Since(m.begin)
	cpu := cpuTime()
	return Sample{Elapsed: elapsed, CPU: cpu - m.cpu, Mallocs: mallocs() - m.mallocs}
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
