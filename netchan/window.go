package netchan

// window bounds the calls of one class, sending, receiving or awaiting a stop,
// that an attachment has waiting at the home; the rest is kept back here, in
// order. Classes are apart, so that a receiver that could end the wait of a
// thousand senders is not behind them. A window is guarded by the link's mu.
type window struct {
	calls, maxCalls int
	bytes, maxBytes int
	queue           []*call
}

// admits reports whether c may go out now. One call may always, however large.
func (w *window) admits(c *call) bool {
	return w.calls == 0 || w.calls < w.maxCalls && w.bytes+c.cost <= w.maxBytes
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

func (w *window) count(c *call) {
	w.calls++
	w.bytes += c.cost
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
