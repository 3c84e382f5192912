package netchan

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// farewellTime is how long the last words to a home that broke the rules may
// take.
const farewellTime = time.Second

func newID() (id wire.ID) {
	rand.Read(id[:]) // never fails
	return id
}

// link is the session with a home, over one connection after the other, shared by
// all attachments of this process to channels there.
//
// It has two goroutines: the writer, which is out.Run, one for each connection,
// and the reader, which is run: it waits for the writer, dials again when a
// connection breaks, and at the end finishes whatever is outstanding. Neither ever
// waits for a user: operations are finished by calls that do not block. Whoever
// ends the last attachment waits for both, through over.
type link struct {
	to         place
	name       string // of the place, for people
	home       string // tells homes apart
	in         *wire.Reader
	out        *wire.Outbox
	lost       func()        // takes the link out of the pool
	left       func() bool   // gives up one reference; true for the last
	over       chan struct{} // closed when both goroutines have ended
	limit      int           // attachments the home allows
	beat       time.Duration // how long the connection may be silent
	claims     bool          // the home takes part in selects over several
	tellsFates bool          // the home can be asked what became of an operation
	chunk      int           // how much goes into one frame, where one value is not more
	// maxBody is the longest body the home takes, where no channel raises it.
	maxBody int

	// Of the session.
	session wire.ID
	homeID  wire.ID // the incarnation of the home
	epoch   uint32  // of the newest connection, or the last try at one
	tries   tries
	life    context.Context // ended by leave
	endLife context.CancelFunc

	mu        sync.Mutex // guards the rest, and what says so in call and attachment
	conn      net.Conn   // written by the reader alone
	calls     map[uint64]*call
	idle      []*call // see reuse
	attached  map[*attachment]struct{}
	selecting window    // selects are of several attachments
	hungry    []*window // wait for the next write, in the order they began to
	lastOp    uint64
	lastChan  uint32
	dead      error       // why nothing more can be begun
	sweep     *time.Timer // set while calls with a time limit may be out
	sweepAt   time.Time   // when it is due
	lending

	dispatcher dispatcher // of who reads
}

// run carries the session to its end.
func (l *link) run() {
	defer close(l.over)
	defer l.endLife()
	err := l.carry()
	for l.outlives(err) {
		if err = l.resume(err); err == nil {
			err = l.carry()
		}
	}
	l.end(err)
}

// carry moves frames over the connection until it ends, and returns why.
func (l *link) carry() error {
	conn, written := l.conn, make(chan error, 1)
	l.mu.Lock()
	l.parting = false
	l.lends = conn.SetReadDeadline(time.Time{}) == nil
	l.mu.Unlock()
	go func() {
		err := l.out.Run(conn)
		if err != nil {
			// What the home said before it left is still to be read.
			l.stopReading(conn)
		} else {
			conn.Close()
		}
		written <- err
	}()
	l.in.Distrust(l.lease())
	pulse := wire.StartPulse(l.beat, l.in.Came, func() { l.out.Ping(false) }, func() { conn.Close() })
	err := l.read()
	if silent := pulse.Stop(); silent != nil {
		err = silent
	}
	l.farewell(conn, err)
	if werr := <-written; werr != nil && !hungUp(werr) && (hungUp(err) || errors.Is(err, os.ErrDeadlineExceeded)) {
		err = werr
	}
	return err
}

// lease is how long the home certainly keeps the session for a process that says
// nothing, 0 if nobody counts. One that was stopped for longer does not believe what
// waits to be read before it has resumed: the home may have given its values to
// others.
func (l *link) lease() time.Duration {
	if l.beat == 0 {
		return 0
	}
	return max(l.to.resume, 3*l.beat)
}

// leave ends the link in an orderly way: its last attachment is gone. It does not
// wait.
func (l *link) leave() {
	l.endLife()
	l.out.Send(&wire.Bye{Code: wire.CodeGoingAway})
	l.out.Close()
}

// awaitOver waits until the link, which nobody needs any more, has ended. When ctx
// ends first its connection is cut: the home does not read our last words.
func (l *link) awaitOver(ctx context.Context) {
	select {
	case <-l.over:
	case <-ctx.Done():
		l.cut()
		<-l.over
	}
}

// cut ends the connection without a word.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.Close()
}

// stopReading has reads of conn, the last connection, end after what has arrived.
func (l *link) stopReading(conn net.Conn) {
	if c, ok := conn.(interface{ CloseRead() error }); ok && c.CloseRead() == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parting = true
	conn.SetReadDeadline(time.Now().Add(farewellTime))
}

// farewell ends conn, and the writing, at least for this time. A home that broke
// the rules is told so.
func (l *link) farewell(conn net.Conn, err error) {
	if broken, ok := errors.AsType[*wire.Error](err); ok {
		conn.SetWriteDeadline(time.Now().Add(farewellTime))
		l.out.Send(&wire.Bye{Code: broken.Code, Text: broken.Text})
		l.out.Close()
		return
	}
	if l.outlives(err) {
		l.out.Pause()
	} else {
		l.out.Drop()
	}
	conn.Close()
}

// byeError is a BYE from the home.
type byeError struct{ *wire.Bye }

func (e byeError) Error() string { return e.Bye.String() }

// end finishes what is outstanding: the session has ended because of err and both
// directions are still.
func (l *link) end(err error) {
	l.lost()
	reason := l.reason(err)
	bye, ok := errors.AsType[byeError](err)
	orderly := ok && bye.Code == wire.CodeGoingAway

	l.mu.Lock()
	l.dead = fault.Because(fault.ErrUnreachable, "%s", reason)
	doubt := fault.Because(fault.ErrInDoubt, "%s", reason)
	written := l.out.Written()
	var ended []*driver.Op
	for _, c := range l.outstanding(nil) {
		c.stopTimer()
		if c.ticketed() {
			ended = l.failOffer(c, doubt, orderly, written, ended)
			continue
		}
		arrived := !orderly && !c.queued && c.position <= written
		ended = c.fail(ended, l.dead, doubt, arrived)
	}
	l.calls = nil
	holders := len(l.attached)
	if l.sweep != nil {
		l.sweep.Stop()
	}
	l.mu.Unlock()

	finish(ended)
	if holders > 0 {
		event.Emit(event.Event{Kind: event.Link, Channel: l.name, Op: "link", State: event.Ended, Reason: reason})
	}
}

// outstanding returns the calls of a, or all if a is nil, those kept back last, in
// the order they were begun, and keeps none back any more. mu is held.
func (l *link) outstanding(of *attachment) []*call {
	var all []*call
	for _, c := range l.calls {
		if _, in := c.has(of); of == nil || c.at == of || in {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *call) int { return int(int64(a.id - b.id)) })
	for a := range l.attached {
		if of != nil && a != of {
			continue
		}
		for _, w := range a.windows() {
			all = append(all, w.queue...)
			w.queue = nil
		}
	}
	return append(all, l.keptBack(of)...)
}

// reason says in plain words why the connection ended.
func (l *link) reason(err error) string {
	if given, ok := errors.AsType[gaveUp](err); ok {
		return given.Error()
	}
	switch broken, _ := errors.AsType[*wire.Error](err); {
	case broken != nil:
		return fmt.Sprintf("the home at %s broke the rules of the wire: %s", l.name, broken.Text)
	case hungUp(err):
		return fmt.Sprintf("the home at %s closed the connection", l.name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("the home at %s closed the connection in the middle of a frame", l.name)
	}
	if bye, ok := errors.AsType[byeError](err); ok {
		return fmt.Sprintf("the home at %s said goodbye: %s", l.name, bye)
	}
	return fmt.Sprintf("the connection to the home at %s broke: %v", l.name, err)
}

// begin registers c under a new number and adds its frame to what is to be
// written; the caller flushes once mu is free. mu is held and the link not dead.
func (l *link) begin(c *call) {
	if l.reads == vacant {
		l.callBack()
	}
	l.lastOp++
	c.id = l.lastOp
	c.queued = false
	l.calls[c.id] = c
	b := l.out.Begin()
	c.position, _ = l.out.End(c.append(b), false)
	if c.position == 0 {
		c.position = ^uint64(0) // the outbox has ended: it never leaves
	}
	if !c.due.IsZero() {
		l.arm(c.due)
	}
}

// dropKept takes c out of those kept back, which may make room for others. mu is
// held.
func (l *link) dropKept(c *call) {
	w := c.window()
	w.drop(c)
	l.beginKept(w)
}

// beginKept begins what was kept back in w, as far as there is room. mu is held.
func (l *link) beginKept(w *window) (begun bool) {
	for next := w.next(); next != nil; next = w.next() {
		l.begin(next)
		begun = true
	}
	return begun
}

// refill begins what waited for the next write: each channel's share of it. It is
// called by who writes.
func (l *link) refill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	hungry := l.hungry
	l.hungry = nil
	for _, w := range hungry {
		w.hungry = false
		l.beginKept(w)
	}
}

// order adds a frame that gets no answer of its own; the caller flushes once mu
// is free, unless the frame may wait. mu is held.
func (l *link) order(t wire.Type, c *call) {
	f := wire.Order{Type: t, Channel: c.at.id, Op: c.id}
	l.out.End(f.Append(l.out.Begin()), false)
}

// arm has overdue run at or before due. mu is held.
func (l *link) arm(due time.Time) {
	switch {
	case l.sweep == nil:
		l.sweep = time.AfterFunc(time.Until(due), l.overdue)
	case due.Before(l.sweepAt):
		l.sweep.Reset(time.Until(due)) // if it runs already, it runs once more
	default:
		return
	}
	l.sweepAt = due
}

// overdue finishes the calls whose time is over: the home does not answer. It
// runs on the timer's goroutine.
func (l *link) overdue() {
	var ended []*driver.Op
	var next time.Time
	now := time.Now()
	l.mu.Lock()
	l.sweep = nil
	for _, c := range l.calls {
		switch {
		case c.op == nil || c.due.IsZero():
		case !c.due.After(now):
			ended = l.giveUp(c, ended)
		case next.IsZero() || c.due.Before(next):
			next = c.due
		}
	}
	if !next.IsZero() && l.dead == nil {
		l.arm(next)
	}
	l.mu.Unlock()
	l.out.Flush()
	finish(ended)
}

// giveUp finishes c, to which the home has not answered in time. What it may
// still answer is for nobody. mu is held.
func (l *link) giveUp(c *call, ended []*driver.Op) []*driver.Op {
	timeout := c.at.cfg.OpTimeout
	if c.receives() || c.kind == driver.OpSelect {
		l.order(wire.TypeCancel, c)
	}
	return c.fail(ended,
		fault.Because(fault.ErrUnreachable, "%s did not answer within %v", l.name, timeout),
		fault.Because(fault.ErrInDoubt, "%s did not answer within %v", l.name, timeout), true)
}
