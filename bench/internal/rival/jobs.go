package rival

import (
	"sync"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// jobNotes say what the jobs' contenders are.
var jobNotes = []string{
	"counter and newest state: a channel of one slot that holds the state is a lock: who receives it has it, and sends it back. A mutex has no select and no context, an atomic has no waiting at all.",
	"newest value to a listener: who publishes replaces what nobody has fetched. The listener waits, sees only rising values, and the last one for certain.",
	"mutex+cond: a ring with one lock and two condition variables. First come first served is not promised; no select, no context, no close, no rendezvous.",
}

// jobs is what people do without a channel, and with one.
func jobs() []*measure.Shape {
	const group = "instead of a channel"
	all := []*measure.Shape{
		job(group, "counter, 8 goroutines, per increment", counterOurs, counterGo, []measure.Contender{
			{Name: "mutex", Body: counterMutex}, {Name: "atomic", Body: counterAtomic},
		}),
		job(group, "newest state, 1 writer and 8 readers, 100 reads a write, per read", stateOurs, stateGo, []measure.Contender{
			{Name: "mutex", Body: stateMutex}, {Name: "RWMutex", Body: stateRWMutex}, {Name: "atomic pointer", Body: stateAtomic},
		}),
		job(group, "newest value to a listener, per publication", newestOurs, newestGo, []measure.Contender{
			{Name: "mutex+cond", Body: newestCond}, {Name: "atomic and a bell", Body: newestBell},
		}),
		crowd(group, "queue 1→1 cap 128", load{senders: 1, receivers: 1, slots: 128}, []rival{golang, condQueue}),
		crowd(group, "queue 8→8 cap 128", load{senders: 8, receivers: 8, slots: 128}, []rival{golang, condQueue}),
	}
	for _, s := range all {
		s.Long = true
	}
	return all
}

func job(group, name string, ours, gos measure.Body, others []measure.Contender) *measure.Shape {
	return &measure.Shape{
		Group: group, Name: name, Ours: ours,
		Rivals: append([]measure.Contender{{Name: native, Body: gos}}, others...),
	}
}

// condQueue is the queue of a textbook.
var condQueue = rival{name: "mutex+cond", lacks: anywhere, open: func(l load) queue {
	q := newWaitQueue(l.slots)
	return queue{
		send: func(from, n int) {
			for i := range n {
				q.put(from + i)
			}
		},
		recv: func(n int) (sum int) {
			for range n {
				sum += q.get()
			}
			return sum
		},
	}
}}

type waitQueue struct {
	mu              sync.Mutex // guards what follows
	notFull, filled sync.Cond
	ring            []int
	first, held     int
}

func newWaitQueue(slots int) *waitQueue {
	q := &waitQueue{ring: make([]int, slots)}
	q.notFull.L, q.filled.L = &q.mu, &q.mu
	return q
}

func (q *waitQueue) put(v int) {
	q.mu.Lock()
	for q.held == len(q.ring) {
		q.notFull.Wait()
	}
	q.ring[(q.first+q.held)%len(q.ring)] = v
	q.held++
	q.mu.Unlock()
	q.filled.Signal()
}

func (q *waitQueue) get() int {
	q.mu.Lock()
	for q.held == 0 {
		q.filled.Wait()
	}
	v := q.ring[q.first]
	q.first = (q.first + 1) % len(q.ring)
	q.held--
	q.mu.Unlock()
	q.notFull.Signal()
	return v
}
