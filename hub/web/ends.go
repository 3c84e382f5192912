package web

import (
	"context"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/fault"
)

// ends are the attachments of some clients: one for each channel and direction.
// Those that nobody uses are detached after a while, not at once: the last receiver
// that leaves stops the senders, and a client that polls has not left between two
// polls.
type ends struct {
	hub    *hub.Hub
	linger time.Duration // 0: until close

	mu     sync.Mutex // guards the rest, and users and timer of every end
	open   map[endKey]*end
	closed bool
}

type endKey struct {
	channel string
	sends   bool
}

// end is one attachment.
type end struct {
	driver.Channel
	of    *ends
	key   endKey
	users int
	timer *time.Timer // detaches it, while nobody uses it
}

func newEnds(h *hub.Hub, linger time.Duration) *ends {
	return &ends{hub: h, linger: linger, open: map[endKey]*end{}}
}

// get returns the end of a channel, which must be there, for one more user.
func (s *ends) get(channel string, sends bool) (*end, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errEnding
	}
	key := endKey{channel, sends}
	e := s.open[key]
	if e == nil {
		ch, _, err := s.hub.Attach("", channel, driver.Config{Create: driver.CreateNo, Slots: -1, Send: sends, Receive: !sends})
		if err != nil {
			return nil, err
		}
		e = &end{Channel: ch, of: s, key: key}
		s.open[key] = e
	}
	e.users++
	if e.timer != nil {
		e.timer.Stop()
	}
	return e, nil
}

// release is get's counterpart.
func (e *end) release() {
	s := e.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.users--; e.users > 0 || s.linger == 0 || s.closed {
		return
	}
	if e.timer != nil {
		e.timer.Reset(s.linger)
		return
	}
	e.timer = time.AfterFunc(s.linger, e.leave)
}

// leave detaches e if still nobody uses it.
func (e *end) leave() {
	s := e.of
	s.mu.Lock()
	if e.users > 0 || s.closed || s.open[e.key] != e {
		s.mu.Unlock()
		return
	}
	delete(s.open, e.key)
	s.mu.Unlock()
	e.Detach(context.Background())
}

// close detaches all, which ends what waits and gives back what is held.
func (s *ends) close() {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for _, e := range open {
		if e.timer != nil {
			e.timer.Stop()
		}
		e.Detach(context.Background())
	}
}

// room bounds what waits.
type room struct {
	mu    sync.Mutex // guards the rest
	calls int        // left
	bytes int        // left; one value more is always allowed
}

// enter counts an operation with so many bytes in it in.
func (r *room) enter(bytes int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls <= 0 || r.bytes <= 0 && bytes > 0 {
		return limited("more operations wait than this home allows over HTTP")
	}
	r.calls--
	r.bytes -= bytes
	return nil
}

func (r *room) leave(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.bytes += bytes
}

// settle does to a hold of e what needs no waiting.
func (e *end) settle(kind driver.Kind, h driver.Hold, delay time.Duration, reason string) error {
	var err error
	op := driver.NewOp(kind, func(op *driver.Op) { err = op.Err }) // before Start returns
	op.Hold, op.Delay, op.Reason = h, delay, reason
	e.Start(op)
	return err
}

// unseen gives back a value that nobody saw.
func (e *end) unseen(h driver.Hold) {
	op := driver.NewOp(driver.OpReturn, func(*driver.Op) {})
	op.Hold, op.Unseen = h, true
	e.Start(op)
}

// lose gives back a value whose receiver is gone and may have seen it. One whose
// sender is gone too goes to the dead letter, or an event tells of it.
func (e *end) lose(h driver.Hold, why string) error {
	err := e.settle(driver.OpReturn, h, 0, "")
	if !isAny(err, fault.ErrAbandoned) {
		return err
	}
	if err = e.settle(driver.OpReject, h, 0, why); !isAny(err, fault.ErrAbandoned) {
		return err
	}
	if err = e.settle(driver.OpDone, h, 0, ""); err == nil {
		dropped(e.key.channel, why)
	}
	return err
}
