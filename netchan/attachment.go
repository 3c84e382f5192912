package netchan

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// attachment is one channel over a link. What is not constant is guarded by the
// link's mu.
type attachment struct {
	link     *link
	id       uint32
	cfg      driver.Config
	info     driver.Info
	maxValue int

	sending, receiving, stopping window
	detached                     bool

	figures atomic.Pointer[driver.Stats] // the last known
}

func (a *attachment) windows() [3]*window {
	return [...]*window{&a.sending, &a.receiving, &a.stopping}
}

// window is where c waits, nil if the home answers it at once.
func (c *call) window() *window {
	switch {
	case c.frame != nil || !c.due.IsZero():
		return nil
	case c.kind == driver.OpSend:
		return &c.at.sending
	case c.receives():
		return &c.at.receiving
	case c.kind == driver.OpSelect:
		return &c.at.link.selecting
	}
	return &c.at.stopping
}

// Info implements driver.Channel.
func (a *attachment) Info() driver.Info { return a.info }

// Start implements driver.Channel.
func (a *attachment) Start(op *driver.Op) { a.begin(op, false) }

// begin sends op or keeps it back, and returns its call if its owner is to visit.
// performed says that he has nothing else to do until op has ended.
func (a *attachment) begin(op *driver.Op, performed bool) (visits *call) {
	err := a.refuse(op)
	if err == nil {
		visits, err = a.start(op, performed)
	}
	if err != nil {
		op.Note = nil // or a late Cancel would end it again
		op.Err = err
		op.Finish()
	}
	return visits
}

// refuse says why op cannot be begun on this attachment, if so.
func (a *attachment) refuse(op *driver.Op) error {
	if op.Ticket != nil && op.Kind != driver.OpSelect {
		return fault.Because(fault.ErrUnsupported, "an operation of kind %d with a ticket", op.Kind)
	}
	switch op.Kind {
	case driver.OpSend:
		if !a.cfg.Send {
			return fault.Because(fault.ErrDenied, "opened without the right to send")
		}
		for i := range op.Items {
			if err := a.refuseItem(&op.Items[i]); err != nil {
				return err
			}
		}
	case driver.OpRecv, driver.OpTake:
		if !a.cfg.Receive {
			return fault.Because(fault.ErrDenied, "opened without the right to receive")
		}
	case driver.OpDone, driver.OpReturn, driver.OpReject, driver.OpExtend, driver.OpClose, driver.OpStop, driver.OpAwaitStop, driver.OpSelect, driver.OpLook:
	default: // OpHeard is a home's own, and others have no frame
		return fault.Because(fault.ErrUnsupported, "an operation of kind %d over a wire", op.Kind)
	}
	return nil
}

func (a *attachment) refuseItem(it *driver.Item) error {
	if len(it.Value) > a.maxValue {
		return fault.Because(fault.ErrTooLarge, "%d bytes, at most %d can be", len(it.Value), a.maxValue)
	}
	if !wire.HeadersFit(it.Header) {
		return fault.Because(fault.ErrTooLarge, "headers: at most %d of %d bytes together can be", wire.MaxHeaders, wire.MaxHeaderBytes)
	}
	return nil
}

// start is begin of what is not refused. An error means that it was not begun.
func (a *attachment) start(op *driver.Op, performed bool) (visits *call, err error) {
	switch op.Kind {
	case driver.OpSelect, driver.OpLook:
		return nil, a.startSelect(op)
	case driver.OpSend:
		if len(op.Items) == 0 {
			op.Finish()
			return nil, nil
		}
	case driver.OpRecv, driver.OpTake:
		if op.Max <= 0 {
			op.Finish()
			return nil, nil
		}
	}
	c, others, err := a.link.admit(a, op, performed)
	switch {
	case err != nil:
		return nil, err
	case c != nil:
		a.link.out.FlushNow()
	case others >= crowd:
		a.link.out.Collect()
	default:
		a.link.out.Flush()
	}
	return c, nil
}

// crowd is how many operations under way make it likely that another will begin soon.
const crowd = 8

// admit begins op or keeps it back, if that can be, and returns its call if its owner
// is to visit, and how many are out.
func (l *link) admit(a *attachment, op *driver.Op, performed bool) (visits *call, out int, err error) {
	send := op.Kind == driver.OpSend
	waits := send || op.Kind == driver.OpRecv || op.Kind == driver.OpTake || op.Kind == driver.OpAwaitStop
	var due time.Time
	if op.Try || !waits {
		due = time.Now().Add(a.cfg.OpTimeout)
	}
	n, cost := min(op.Max, wire.MaxBatch), 0
	if send {
		n, cost = l.fit(op.Items)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.detached {
		if ways[op.Kind] != 0 {
			return nil, 0, fault.ErrSettled // what was held went back
		}
		return nil, 0, fault.ErrDetached
	}
	if l.dead != nil {
		return nil, 0, l.dead
	}
	c := l.newCall(a, op)
	c.performed, c.due, c.count, c.cost = performed, due, n, cost
	if w := c.window(); w == nil || w.enter(c) {
		l.takeUp(c)
		l.begin(c)
	}
	if c.visits {
		return c, 1, nil
	}
	return nil, len(l.calls), nil
}

// Cancel implements driver.Channel. A receive ends at once: should a value be
// under way, the home puts it back when it reads CANCEL. A send waits for the
// home's answer, at most CancelGrace.
func (a *attachment) Cancel(op *driver.Op, why error) {
	c, _ := op.Note.(*call)
	if c == nil {
		return
	}
	l := a.link
	l.mu.Lock()
	var ended []*driver.Op
	if c.op == op && c.cause == nil && l.dead == nil {
		ended = a.cancel(c, why)
	}
	l.mu.Unlock()
	l.out.Flush()
	finish(ended)
}

// cancel ends c because of why, or has it end. The link's mu is held.
func (a *attachment) cancel(c *call, why error) (ended []*driver.Op) {
	l := a.link
	switch {
	case c.queued:
		l.dropKept(c)
		c.op.N = c.next
		return c.finished(ended, why)
	case c.ticketed():
		return l.withdraw(c, why, ended)
	case c.harmless():
		l.order(wire.TypeCancel, c)
		return c.finished(ended, why)
	}
	c.cause = why
	c.stopTimer() // of a select's After, which may be hours away
	if c.kind == driver.OpSend || c.kind == driver.OpSelect {
		l.order(wire.TypeCancel, c)
	}
	c.grace = time.AfterFunc(a.cfg.CancelGrace, func() { a.graceOver(c) })
	return nil
}

// graceOver finishes a cancelled call whose answer did not come. It runs on the
// timer's goroutine.
func (a *attachment) graceOver(c *call) {
	l := a.link
	l.mu.Lock()
	var ended []*driver.Op
	if c.op != nil && l.dead == nil && c.ticketed() {
		ended = l.unsure(c, fault.Doubtful(c.cause), nil)
	} else if c.op != nil && l.dead == nil {
		c.op.N = c.next
		ended = c.finished(nil, c.traced(fault.Doubtful(c.cause)))
	}
	l.mu.Unlock()
	finish(ended)
}

// statsTime bounds the question to the home in Stats.
const statsTime = time.Second

// Stats implements driver.Channel. It asks the home, and returns the last known
// figures if the home does not answer within a second.
func (a *attachment) Stats() driver.Stats {
	l := a.link
	frame := &wire.Order{Type: wire.TypeStats, Channel: a.id}
	c := &call{at: a, frame: frame, number: func(op uint64) { frame.Op = op }, reply: make(chan answer, 1)}
	l.mu.Lock()
	ok := l.dead == nil && !a.detached
	if ok {
		l.begin(c)
	}
	l.mu.Unlock()
	if ok {
		l.out.Flush()
		ctx, stop := context.WithTimeout(context.Background(), min(statsTime, a.cfg.OpTimeout))
		defer stop()
		if got, err := c.await(ctx); err == nil && got.stats != nil {
			got.stats.AsOf = time.Now()
			a.figures.Store(got.stats)
		}
	}
	return *a.figures.Load()
}

// Detach implements driver.Channel.
func (a *attachment) Detach(ctx context.Context) error {
	l := a.link
	c := a.part(make(chan answer, 1))
	if c == nil {
		return fault.ErrDetached
	}
	got, err := c.await(ctx)
	if err != nil {
		return err // late does the rest
	}
	last := l.depart(a)
	if l.isDead() {
		<-l.over
		return nil // the home has ended the attachment with the connection
	}
	if last {
		l.awaitOver(ctx)
	}
	return got.err
}

// depart gives up a's place on the link.
func (l *link) depart(a *attachment) (last bool) {
	l.mu.Lock()
	delete(l.attached, a)
	l.mu.Unlock()
	return l.left()
}

func (l *link) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead != nil
}

// part ends what is under way and sends DETACH, whose answer goes to reply, or
// to nobody. It returns nil if that was done before.
func (a *attachment) part(reply chan answer) *call {
	l := a.link
	frame := &wire.Order{Type: wire.TypeDetach, Channel: a.id}
	c := &call{
		at: a, frame: frame, number: func(op uint64) { frame.Op = op }, reply: reply,
		late: func(answer) { l.depart(a) },
	}
	l.mu.Lock()
	if a.detached {
		l.mu.Unlock()
		return nil
	}
	a.detached = true
	var ended []*driver.Op
	if l.dead == nil {
		ended = a.endAll()
		l.begin(c)
	} else {
		ended = c.tell(nil, answer{})
	}
	l.mu.Unlock()
	l.out.Flush()
	finish(ended)
	return c
}

// endAll finishes what waits only for the channel, or was never sent. Sends that
// are out end with the home's answer to them, which comes before that to DETACH.
// Receives are cancelled one by one, so that a value under way goes back unseen.
func (a *attachment) endAll() (ended []*driver.Op) {
	l := a.link
	for _, c := range l.outstanding(a) {
		switch {
		case c.op == nil:
		case c.kind == driver.OpSelect:
			ended = a.leaveSelect(c, ended)
		case c.queued:
			c.op.N = c.next
			ended = c.finished(ended, fault.ErrDetached)
		case c.receives() || c.kind == driver.OpAwaitStop:
			l.order(wire.TypeCancel, c)
			ended = c.finished(ended, fault.ErrDetached)
		}
	}
	return ended
}
