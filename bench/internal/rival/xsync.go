package rival

import (
	"runtime"

	"github.com/puzpuzpuz/xsync/v4"
)

// spins is what the queues have in common that only try.
const spins = "it only tries: who finds it full or empty yields and tries again, so an idle receiver uses a whole core, and nobody waits in line; no close, no select, no context, no rendezvous"

// noRendezvous is why a queue has no capacity of 0.
const noRendezvous = "no rendezvous: it has at least one slot"

var spsc = rival{
	name: "xsync SPSC", laws: "one sender and one receiver; " + spins,
	lacks: func(senders, receivers, slots int) string {
		return reasons(unless(senders == 1 && receivers == 1, "one sender and one receiver only"), unless(slots > 0, noRendezvous))
	},
	open: func(l load) queue {
		q := xsync.NewSPSCQueue[int](l.slots)
		return queue{
			send: func(from, n int) {
				for i := range n {
					for !q.TryEnqueue(from + i) {
						runtime.Gosched()
					}
				}
			},
			recv: func(n int) (sum int) {
				for range n {
					v, ok := q.TryDequeue()
					for ; !ok; v, ok = q.TryDequeue() {
						runtime.Gosched()
					}
					sum += v
				}
				return sum
			},
		}
	},
}

var mpmc = rival{
	name: "xsync MPMC", laws: "capacities are powers of two; a lost race looks like a full or an empty queue; " + spins,
	lacks: func(_, _, slots int) string { return unless(slots > 0, noRendezvous) },
	open: func(l load) queue {
		q := xsync.NewMPMCQueue[int](l.slots)
		return queue{
			send: func(from, n int) {
				for i := range n {
					for !q.TryEnqueue(from + i) {
						runtime.Gosched()
					}
				}
			},
			recv: func(n int) (sum int) {
				for range n {
					v, ok := q.TryDequeue()
					for ; !ok; v, ok = q.TryDequeue() {
						runtime.Gosched()
					}
					sum += v
				}
				return sum
			},
		}
	},
}

var umpsc = rival{
	name: "xsync UMPSC", laws: "one receiver; unbounded: no send ever waits; the receiver parks; no close, no select, no context, no way to try",
	lacks: func(_, receivers, _ int) string { return unless(receivers == 1, "one receiver only") },
	open: func(load) queue {
		q := xsync.NewUMPSCQueue[int]()
		return queue{
			send: func(from, n int) {
				for i := range n {
					q.Enqueue(from + i)
				}
			},
			recv: func(n int) (sum int) {
				for range n {
					sum += q.Dequeue()
				}
				return sum
			},
		}
	},
}
