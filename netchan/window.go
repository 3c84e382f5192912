package netchan

import "github.com/handoff-go/handoff/internal/wire"

// window bounds the calls of one class, sending, receiving or awaiting a stop,
// that an attachment has waiting at the home; the rest is kept back here, in
// order. Classes are apart, so that a receiver that could end the wait of a
// thousand senders is not behind them. It also bounds how much of one write is its
// own, so that large values are not in the way of other channels. A window is guarded
// by the link's mu.
type window struct {
	calls, maxCalls int
	bytes, maxBytes int
	queue           []*call
	share           wire.Share
	hungry          bool // it is among those of the link
}

// admits reports whether c may go out now. One call may always, however large.
func (w *window) admits(c *call) bool {
	if w.calls == 0 {
		return true
	}
	if w.calls >= w.maxCalls || w.bytes+c.cost > w.maxBytes {
		return false
	}
	l := c.at.link
	if w.share.Room(l.out, c.cost) {
		return true
	}
	if !w.hungry {
		w.hungry = true
		l.hungry = append(l.hungry, w)
	}
	return false
}

// enter counts c in if it may go out, and else keeps it back.
func (w *window) enter(c *call) bool {
	if len(w.queue) > 0 || !w.admits(c) {
		c.queued = true
		w.queue = append(w.queue, c)
		return false
	}
	w.count(c)
	return true
}

// count counts c in, which is about to go out.
func (w *window) count(c *call) {
	w.calls++
	w.bytes += c.cost
	w.share.Add(c.at.link.out, c.cost)
}

// leave counts c out.
func (w *window) leave(c *call) {
	w.calls--
	w.bytes -= c.cost
}

// next returns the next call that may go out, counted in, or nil.
func (w *window) next() *call {
	if len(w.queue) == 0 || !w.admits(w.queue[0]) {
		return nil
	}
	c := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.count(c)
	return c
}

// drop takes c out of what is kept back.
func (w *window) drop(c *call) {
	for i, q := range w.queue {
		if q == c {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			return
		}
	}
}
