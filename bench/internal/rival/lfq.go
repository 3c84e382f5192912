//go:build !386 && !arm

// Elsewhere lfq does not compile: its flags need words of 64 bits.

package rival

import (
	"runtime"
	"sync/atomic"

	"code.hybscloud.com/iox"
	hybscloud "code.hybscloud.com/lfq"
)

var lfq = rival{
	name: "lfq", laws: "code.hybscloud.com/lfq, built with Go's own compiler and not with the one its author recommends; for several receivers in its compact form, as its default forms left values behind in some runs; capacities are powers of two, from 2; with one receiver the last sender must say that all is sent; " + spins,
	lacks: lfqLacks,
	open: func(l load) queue {
		return lfqQueue(l, func() backoff { return yielding{} })
	},
}

var lfqAsleep = rival{
	name: "lfq, backing off", laws: "as lfq, waiting as its documentation does: who finds it full or empty sleeps for half a millisecond and more",
	lacks: lfqLacks,
	open: func(l load) queue {
		return lfqQueue(l, func() backoff { return &iox.Backoff{} })
	},
}

func lfqLacks(_, _, slots int) string {
	return reasons(unless(slots > 0, noRendezvous), unless(slots != 1, "it has at least two slots"))
}

// backoff is what one side does while it cannot go on.
type backoff interface {
	Wait()
	Reset()
}

type yielding struct{}

func (yielding) Wait()  { runtime.Gosched() }
func (yielding) Reset() {}

func lfqQueue(l load, wait func() backoff) queue {
	b := hybscloud.New(l.slots)
	if l.senders == 1 {
		b.SingleProducer()
	}
	// Of the default forms, those for several receivers do not deliver every
	// value: now and then some of 40,000 never came out.
	if l.receivers == 1 {
		b.SingleConsumer()
	} else {
		b.Compact()
	}
	q := hybscloud.Build[int](b)
	var sent atomic.Int64
	return queue{
		send: func(from, n int) {
			w := wait()
			for v := from; v < from+n; v++ {
				if q.Enqueue(&v) == nil {
					continue
				}
				for w.Wait(); q.Enqueue(&v) != nil; w.Wait() {
				}
				w.Reset()
			}
			// Without this, receivers may find a queue empty that is not.
			if d, ok := q.(hybscloud.Drainer); ok && sent.Add(int64(n)) == int64(l.n) {
				d.Drain()
			}
		},
		recv: func(n int) (sum int) {
			w := wait()
			for range n {
				v, err := q.Dequeue()
				if err != nil {
					for ; err != nil; v, err = q.Dequeue() {
						w.Wait()
					}
					w.Reset()
				}
				sum += v
			}
			return sum
		},
	}
}
