package between

import (
	"fmt"
	"os"
)

// The goals of channels in shared memory.
const (
	goalParked   = 1.3     // of a bare doorbell's
	goalLine     = 2.0     // of a bare line of the cache
	goalSpinning = 1.0 / 3 // of a Unix socket's
	goalEach     = 1.0 / 10
	mostBatched  = 100 // ns for a value, which is 10 M values in a second
	goalBlock    = 2.0 // of the same with 64 B
)

const (
	claimParked   = "shm, 64 B round trip, parked: against a bare doorbell"
	claimLine     = "shm, 64 B round trip, spinning: against a bare line"
	claimSpinning = "shm, 64 B round trip, spinning: against a Unix socket"
	claimEach     = "shm, 64 B one way, by 1: a tenth of a Unix socket with a write each"
	claimBatched  = "shm, 64 B one way, by 64: 10 M values a second"
	claimBlock    = "shm, 4 MiB borrowed: against 64 B"
)

func shmClaims() []string {
	return []string{claimParked, claimLine, claimSpinning, claimEach, claimBatched, claimBlock}
}

// shared is a name that no other crew has.
func (f *Fleet) shared() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("handoff-bench-%d-%d", os.Getpid(), len(f.all))
}

// kept keeps the processes of a crew where they are: the first two on one core, or
// on a core each.
func kept(cores int, start func(*Fleet) crew) func(*Fleet) crew {
	return func(f *Fleet) crew {
		c := start(f)
		for i, p := range c.all() {
			pin(p.pids[0], i%cores)
		}
		return c
	}
}

// calls is a crew of one that answers and one that calls and times.
func calls(role string, args func(f *Fleet) []string) func(*Fleet) crew {
	return func(f *Fleet) crew {
		with := args(f)
		echo := f.start(role+" echo", with...)
		return crew{asked: []*process{echo, f.start(role+" caller", with...)}}
	}
}

// floorTrip is a round trip through two lines of the cache.
func floorTrip(how string) func(*Fleet) crew {
	return calls("floor", func(f *Fleet) []string { return []string{f.shared(), how} })
}

// shmSlots are those of channels that carry round trips.
const shmSlots = 16

func shmURL(f *Fleet) string { return "shm:" + f.shared() + "-%s" }

func oursTrip(how string) func(*Fleet) crew {
	return calls("shm", func(f *Fleet) []string { return []string{shmURL(f), fmt.Sprint(shmSlots), how} })
}

// oursStream is ours one way.
func oursStream(many int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		args := []string{shmURL(f), fmt.Sprint(streamSlots), fmt.Sprint(many)}
		sink := f.start("sink", args...)
		return crew{asked: []*process{sink, f.start("source", args...)}}
	}
}

// written is a raw stream whose source writes in batches, or each message.
func written(source, network string) func(*Fleet) crew {
	return func(f *Fleet) crew {
		sink := f.start("raw sink", network, f.socket())
		return crew{asked: []*process{sink, f.start(source, sink.at)}}
	}
}
