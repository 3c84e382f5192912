package netchan

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// This file lets a goroutine that waits for its operation read the link itself. The
// answer then need not be passed on from one goroutine to another, which on two
// cores takes as long as the way to the home and back.
//
// There is one who reads, and link.reads says who: the link's own goroutine (at home),
// a goroutine that performs an operation (a visitor), or nobody. Nobody reads only
// while no call is out, and for lendTime at most: after an operation was performed
// that was the only one, the next is likely to be, too. Whoever begins a call when
// nobody reads becomes the visitor, or calls the link's own goroutine back.

// reads says who reads a link.
type reads uint8

const (
	atHome  reads = iota // the link's own goroutine
	vacant               // nobody, and no call is out
	visited              // the goroutine that performs link.visitor
)

// lendTime is how long nobody may read. What the home says of its own accord, as a
// PING or its farewell, waits so long.
const lendTime = 2 * time.Millisecond

// lending is how a link lends its reader. mu guards it.
type lending struct {
	reads    reads
	visitor  *call
	visits   uint64        // how many there were
	handling bool          // who reads is at a frame, with mu
	nudged   bool          // the visitor's read was ended by a deadline
	parting  bool          // reads end after farewellTime at the latest
	lends    bool          // reads of the connection can be ended by a deadline
	dozes    bool          // the link's own goroutine waits for back, however long that takes
	failed   error         // what the visitor's last read ended with
	back     chan struct{} // one slot: the link's own goroutine reads again
}

// Perform implements driver.Performer.
func (a *attachment) Perform(ctx context.Context, op *driver.Op, within time.Duration) {
	if c := a.begin(op, true); c != nil {
		a.link.visit(ctx, c, within)
	}
}

// visit reads until c has ended or its owner has something else to do, and hands the
// reading on.
func (l *link) visit(ctx context.Context, c *call, within time.Duration) {
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() { l.nudge(c) })()
	}
	if within > 0 {
		defer time.AfterFunc(within, func() { l.nudge(c) }).Stop()
	}
	var err error
	for err == nil && (!c.leaves.Load() || l.in.Ready()) {
		err = l.dispatcher.step(l.out.FlushNow)
	}
	l.endVisit(c, err)
}

// nudge has c's owner stop reading, if he does.
func (l *link) nudge(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nudgeVisitor(c)
}

// nudgeVisitor is nudge with mu held.
func (l *link) nudgeVisitor(c *call) {
	if l.visitor != c {
		return
	}
	c.leaves.Store(true)
	if !l.handling { // else he sees it before he reads again
		l.nudged = true
		l.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// endVisit hands the reading on after the last read of c's owner ended with err.
func (l *link) endVisit(c *call, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nudged {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		l.nudged = false
		var until time.Time
		if l.parting {
			until = time.Now().Add(farewellTime)
		}
		l.conn.SetReadDeadline(until)
	}
	l.visitor = nil
	if err == nil && len(l.calls) == 0 && l.dead == nil && !l.dozes {
		l.reads = vacant
	} else {
		l.failed = err
		l.callBack()
	}
	l.reuse(c)
}

// callBack has the link's own goroutine read. mu is held.
func (l *link) callBack() {
	l.reads, l.dozes = atHome, false
	l.back <- struct{}{} // it has taken the one before, or it would be reading
}

// lend has nobody read, if no call is out.
func (l *link) lend() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) > 0 || l.dead != nil || !l.lends {
		return false
	}
	l.reads = vacant
	return true
}

// awaitBack waits until the link's own goroutine is to read again. An error is what
// another found when he read.
func (l *link) awaitBack() error {
	timer := time.NewTimer(lendTime)
	defer timer.Stop()
	seen := ^uint64(0)
	for {
		select {
		case <-l.back:
			l.mu.Lock()
			err := l.failed
			l.failed = nil
			l.mu.Unlock()
			return err
		case <-timer.C:
		}
		l.mu.Lock()
		switch {
		case l.reads == atHome: // it was called back at this moment
		case l.visits != seen:
			seen = l.visits
			timer.Reset(lendTime)
		case l.reads == visited:
			l.dozes = true
		default:
			l.reads = atHome
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
	}
}

// takeUp makes c, which is about to be sent by its owner, the visitor if nobody
// reads. mu is held.
func (l *link) takeUp(c *call) {
	if l.reads == vacant && c.performed {
		l.reads, l.visitor, c.visits = visited, c, true
		l.visits++
	}
}
