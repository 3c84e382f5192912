package netchan

import (
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// call is one operation on its way. Its fields are guarded by the link's mu.
//
// A call outlives its Op where the home is still to answer and the answer is
// for nobody any more: a receive that was cancelled, a send in doubt. op is nil
// then.
type call struct {
	at     *attachment
	op     *driver.Op
	kind   driver.Kind
	id     uint64
	queued bool // kept back by a window, not yet sent

	position uint64 // where its frame ends in the stream
	cost     int    // bytes of the window it takes
	next     int    // OpSend: values that left custody
	count    int    // OpSend: values behind next in the frame that is out; OpSelect: cases; OpRecv, OpTake: values still to come at most
	got      []driver.Item
	sends    bool      // OpSelect: a case of it sends
	left     int       // OpSelect: the case whose attachment was detached, -1 for none
	until    time.Time // OpSelect: when its After is over
	cause    error     // why it was cancelled
	*offered           // OpSelect with a ticket, else nil
	due      time.Time // when its home must have answered, zero for never
	grace    *time.Timer
	doubt    *doubt // the caller was told that it is in doubt

	performed bool        // its owner waits for nothing else
	visits    bool        // its owner reads the link. He reads it without mu
	leaves    atomic.Bool // or is to stop; partner: the load in visit

	// For what is not an Op: OPEN, DETACH, STATS and LIST.
	frame  wire.Frame
	number func(op uint64) // puts the number into frame
	reply  chan answer     // one slot
	late   func(answer)    // told the answer when nobody waits for reply any more
}

// answer is what came for a call that is not an Op.
type answer struct {
	err    error
	opened *wire.Opened
	stats  *driver.Stats
	names  *wire.Names
	fate   *wire.Fate
}

// answers reports whether got is what a home says to f.
func (got answer) answers(f wire.Frame) bool {
	switch f := f.(type) {
	case *wire.Open:
		return got.opened != nil
	case *wire.List:
		return got.names != nil
	case *wire.Ask:
		return got.fate != nil
	case *wire.Order:
		return got.stats != nil && f.Type == wire.TypeStats
	}
	return false
}

func (c *call) receives() bool { return c.kind == driver.OpRecv || c.kind == driver.OpTake }

// harmless reports whether c, given up, has no effect: what may come for it goes
// back to its home, and nobody has seen it.
func (c *call) harmless() bool {
	return c.receives() || c.kind == driver.OpAwaitStop || c.kind == driver.OpLook || c.kind == driver.OpSelect && !c.sends
}

// prepare fixes what the next frame of a send carries.
func (c *call) prepare() { c.count, c.cost = c.at.link.fit(c.op.Items[c.next:]) }

// fit returns how many of items go into one frame, and what they count for: as many
// as stay within sensible bytes, at least one.
func (l *link) fit(items []driver.Item) (n, cost int) {
	for i := 0; i < len(items) && n < wire.MaxBatch; i++ {
		more := wire.Cost(&items[i])
		if n > 0 && cost+more > l.chunk {
			break
		}
		n, cost = n+1, cost+more
	}
	return n, cost
}

// mostIdle is how many calls are kept for the next operations of a link.
const mostIdle = 64

// newCall returns a call for op. mu is held.
func (l *link) newCall(a *attachment, op *driver.Op) *call {
	c := &call{}
	if n := len(l.idle); n > 0 {
		c, l.idle = l.idle[n-1], l.idle[:n-1]
	}
	c.at, c.op, c.kind = a, op, op.Kind
	op.Note = c
	return c
}

// reuse gives c to a later operation, if it has ended as most do. Nobody knows it then
// but its owner, by Op.Note, which says nothing once c.op is another. mu is held.
func (l *link) reuse(c *call) {
	if c.op == nil && l.visitor != c && c.cause == nil && c.doubt == nil && c.offered == nil && !c.queued &&
		l.calls[c.id] != c && len(l.idle) < mostIdle {
		*c = call{}
		l.idle = append(l.idle, c)
	}
}

// append adds the frame that begins c.
func (c *call) append(b []byte) []byte {
	if c.frame != nil {
		c.number(c.id)
		return c.frame.Append(b)
	}
	op, channel := c.op, c.at.id
	var flags uint8
	if op.Try {
		flags = wire.FlagTry
	}
	switch c.kind {
	case driver.OpSend:
		f := wire.Send{Channel: channel, Op: c.id, Flags: flags, Items: op.Items[c.next : c.next+c.count]}
		return f.Append(b)
	case driver.OpRecv, driver.OpTake:
		f := wire.Receive{Type: wire.TypeRecv, Channel: channel, Op: c.id, Flags: flags, Max: uint32(c.count)}
		if c.kind == driver.OpTake {
			f.Type = wire.TypeTake
		}
		return f.Append(b)
	case driver.OpDone, driver.OpReturn, driver.OpReject, driver.OpExtend:
		f := wire.Settle{Channel: channel, Op: c.id, How: ways[c.kind], Hold: op.Hold, Delay: op.Delay, Reason: op.Reason}
		return f.Append(b)
	case driver.OpSelect, driver.OpLook:
		f := c.selectFrame()
		return f.Append(b)
	case driver.OpStop:
		f := wire.Stop{Channel: channel, Op: c.id, Reason: op.Reason}
		return f.Append(b)
	case driver.OpClose:
		f := wire.Order{Type: wire.TypeClose, Channel: channel, Op: c.id}
		return f.Append(b)
	}
	f := wire.Order{Type: wire.TypeAwaitStop, Channel: channel, Op: c.id}
	return f.Append(b)
}

var ways = map[driver.Kind]wire.How{
	driver.OpDone: wire.HowDone, driver.OpReturn: wire.HowReturn,
	driver.OpReject: wire.HowReject, driver.OpExtend: wire.HowExtend,
}

// finished takes the Op off c, to be finished once mu is free, and adds it to
// ended.
func (c *call) finished(ended []*driver.Op, err error) []*driver.Op {
	op := c.op
	c.op = nil
	c.stopTimer()
	if c.visits {
		c.at.link.nudgeVisitor(c)
	}
	op.Err = err
	return append(ended, op)
}

// finish finishes what calls have ended. No lock is held: who waits for one may
// begin another.
func finish(ended []*driver.Op) {
	for _, op := range ended {
		op.Finish()
	}
}

// fail ends c without an answer: with plain if it certainly had no effect, with
// doubt if it may have had one. arrived says that its frame may have reached the
// home whole.
func (c *call) fail(ended []*driver.Op, plain, doubt error, arrived bool) []*driver.Op {
	if c.frame != nil {
		return c.tell(ended, answer{err: plain})
	}
	if c.op == nil {
		c.untold()
		return ended
	}
	err := plain
	if c.cause != nil { // cancelled, and waiting for the answer
		err, doubt = c.cause, fault.Doubtful(c.cause)
	}
	if arrived && !c.harmless() {
		err = c.traced(doubt)
	}
	c.op.N = c.next
	return c.finished(ended, err)
}

// tell gives the answer to whoever waits. If nobody does any more, what is left
// to do is added to ended, as it needs mu, which is held.
func (c *call) tell(ended []*driver.Op, got answer) []*driver.Op {
	if c.reply != nil {
		c.reply <- got // one slot, one answer
		return ended
	}
	if late := c.late; late != nil {
		ended = append(ended, driver.NewOp(0, func(*driver.Op) { late(got) }))
	}
	return ended
}

func (c *call) stopTimer() {
	if c.grace != nil {
		c.grace.Stop()
		c.grace = nil
	}
	if c.ticketed() && c.tires != nil {
		c.tires.Stop()
	}
}
