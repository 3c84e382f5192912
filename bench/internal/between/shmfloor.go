package between

import (
	"context"
	"crypto/sha256"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/shm/bell"
	"github.com/handoff-go/handoff/internal/shm/seg"
)

// The floors of what crosses through memory: one line of the cache in each
// direction, which carries a message and its number, and nothing else. There is no
// queue, nobody else, and no end.

func init() {
	roles["floor echo"] = func(args []string) part { return floor(args, false) }
	roles["floor caller"] = func(args []string) part { return floor(args, true) }
}

// How a party waits for what is in memory.
const (
	parked   = "parked"   // on one thread, asleep in the system
	spinning = "spinning" // it looks again and again
)

// waits prepares this process for waiting so.
func waits(how string) (spins bool) {
	if how == parked {
		runtime.GOMAXPROCS(1)
	} else {
		runtime.GOMAXPROCS(2) // said, as Go would make it one once the process is kept on a core
	}
	return how == spinning
}

// lane is where one message at a time goes one way. Its first word is the number of
// the message and one more, so that 0 is none.
type lane struct {
	word *atomic.Uint64
	rest []byte
}

func laneAt(mem []byte, at int) lane { return lane{wordAt(mem, at), mem[at+8 : at+size]} }

func (l lane) send(m []byte, c *number) {
	c.write(m)
	copy(l.rest, m[8:])
	l.word.Store(c.next) // it pairs with the load in here
}

// here reports whether message n has come.
func (l lane) here(n uint64) bool { return l.word.Load() > n }

func (l lane) receive(m []byte, c *number) {
	copy(m[8:], l.rest)
	(&number{l.word.Load() - 1}).write(m)
	c.see(m)
}

// floor takes a name that both parties have, and how they wait.
func floor(args []string, calls bool) part {
	p, s, life := join(args[0], calls)
	spins := waits(args[1])
	mine, other := laneAt(s.Bytes(), 0), laneAt(s.Bytes(), 128)
	if calls {
		mine, other = other, mine
	}
	var peer *bell.Ringer
	var sent, came number
	m := make([]byte, size)
	say := func() {
		mine.send(m, &sent)
		if !spins {
			must(peer.Ring())
		}
	}
	hear := func() {
		for !other.here(came.next) {
			if !spins {
				_, err := life.Wait(time.Time{})
				must(err)
			}
		}
		other.receive(m, &came)
	}
	work := func(n int) measure.Sample {
		for peer == nil { // the other one may still be starting
			peer, _ = p.Reach(floorID(args[0], !calls))
		}
		if calls {
			return timed(spins, n, func() { say(); hear() })
		}
		for range n {
			hear()
			say()
		}
		return done()
	}
	return part{work: work, end: func() { life.Leave(); s.Remove() }}
}

func join(name string, calls bool) (*seg.Place, *seg.Segment, *seg.Life) {
	p, s, _, err := seg.Open(context.Background(), seg.Where{Name: name}, int64(os.Getpagesize()), func([]byte) error { return nil })
	must(err)
	life, err := p.Join(floorID(name, calls))
	must(err)
	return p, s, life
}

func floorID(name string, calls bool) seg.ID {
	sum := sha256.Sum256([]byte(name))
	sum[0] &^= 1
	if calls {
		sum[0] |= 1
	}
	return seg.ID(sum[:16])
}

// timed times each operation, but of those that are as short as reading the clock
// only all together.
func timed(short bool, n int, operate func()) measure.Sample {
	if !short {
		return alone(n, operate)
	}
	begin := time.Now()
	for range n {
		operate()
	}
	return measure.Sample{Elapsed: time.Since(begin)}
}
