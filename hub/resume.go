package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// join finds or makes the session that l asks for. A session it returns is new,
// for the caller to run; nil without an error says that one that was there has l
// now.
func (h *Hub) join(l *line) (*session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return nil, errLeaving
	}
	old := h.resumable[l.hello.Session]
	if old != nil || l.hello.Epoch != 1 {
		return nil, old.offer(l)
	}
	account := h.account(l.who)
	if len(h.sessions) >= h.opts.MaxConnections {
		return nil, &wire.Error{Code: wire.CodeLimit, Text: fmt.Sprintf("the home serves %d connections and no more", h.opts.MaxConnections)}
	}
	if err := account.enter(); err != nil {
		return nil, err
	}
	window := min(l.hello.Resume, h.opts.MaxResume)
	if l.hello.Features&wire.FeatureResume == 0 {
		window = 0
	}
	s := newSession(l, window, account)
	h.sessions[s] = struct{}{}
	if window > 0 {
		h.resumable[s.id] = s
	}
	return s, nil
}

// part forgets a session that has ended.
func (h *Hub) part(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
	h.leave(s.account)
	if h.resumable[s.id] == s {
		delete(h.resumable, s.id)
	}
}

// errNotResumed is why a client that comes back is sent away.
func errNotResumed(why string) error { return &wire.Error{Code: wire.CodeResume, Text: why} }

// offer gives l to the session as its next connection. It may be called on a nil
// session, which takes none.
func (s *session) offer(l *line) error {
	if s == nil {
		return errNotResumed("no such session: it has ended, or this home was started anew")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return errNotResumed("the session has ended")
	case l.hello.Incarnation != s.client || l.who != s.who:
		return errNotResumed("the session is of another process or identity")
	case l.hello.Epoch <= s.epoch:
		return errNotResumed(fmt.Sprintf("connection %d of the session comes after connection %d", l.hello.Epoch, s.epoch))
	}
	if err := s.permitted(); err != nil {
		s.expel()
		return err
	}
	s.epoch = l.hello.Epoch
	if s.next != nil {
		s.next.conn.Close() // overtaken before it was used
	} else {
		s.offered <- struct{}{}
	}
	s.next = l
	s.conn.Close()
	return nil
}

// permitted says which attachment the client has no right to any more. mu is held.
func (s *session) permitted() error {
	for _, a := range s.attached {
		if err := s.opener().needs(a.name, a.asked); err != nil {
			return errDenied(fmt.Sprintf("channel %q: %s", a.name, fault.Reason(err)))
		}
	}
	return nil
}

// expel has the session end soon. mu is held.
func (s *session) expel() {
	s.over = true
	s.conn.Close()
	select {
	case <-s.expelled:
	default:
		close(s.expelled)
	}
}

// gaveUp is what a session ends with whose client did not come back.
type gaveUp struct{ reason string }

func (e gaveUp) Error() string { return e.reason }

// outlives reports whether the session goes on although its connection ended
// because of err.
func (s *session) outlives(err error) bool {
	_, broken := errors.AsType[*wire.Error](err)
	_, bye := errors.AsType[byeError](err)
	return s.window > 0 && !broken && !bye && !s.leaving.Load() && !s.ended()
}

// resume waits for the client to come back after its connection ended because of
// broke, and then has the next connection in place. An error says that the
// session has to end.
func (s *session) resume(broke error) error {
	since := time.Now()
	s.out.Pause()
	s.line.conn.Close()
	<-s.written
	next := s.takeNext()
	if next == nil {
		s.tell(event.Broken, fmt.Sprintf("%s; what it holds is kept for %v", s.reason(broke), s.window))
		next = s.awaitNext()
	}
	select {
	case <-s.expelled:
		if next != nil {
			next.refuse(errDenied("the session has ended: a right to what it had open is gone"))
		}
		return gaveUp{fmt.Sprintf("%s, and has no right any more to what it had open", s.reason(broke))}
	default:
	}
	if next == nil {
		return gaveUp{fmt.Sprintf("%s, and did not come back within %v", s.reason(broke), s.window)}
	}
	s.have = s.in.Have()
	if err := s.out.Rewind(next.hello.Received, s.have); err != nil {
		next.refuse(err)
		return err
	}
	s.in.Switch(next.in)
	s.line = next
	s.mu.Lock()
	s.conn = next.conn
	if s.next != nil || s.over { // offered, or expelled, meanwhile
		s.conn.Close()
	}
	s.mu.Unlock()
	s.tell(event.Resumed, fmt.Sprintf("%s came back after %v on a new connection", s.name, time.Since(since).Round(time.Millisecond)))
	return nil
}

// ended reports whether nothing more can come of the session: its client is dead,
// or its time was over.
func (s *session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.out.Ended()
}

// takeNext returns the connection that was offered, if one was.
func (s *session) takeNext() *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.next
	if next != nil {
		s.next = nil
		<-s.offered
	}
	return next
}

// awaitNext returns the connection that is offered within the session's window, or
// nil; from then on none can be.
func (s *session) awaitNext() *line {
	timer := time.NewTimer(s.window)
	defer timer.Stop()
	select {
	case <-s.offered:
		s.offered <- struct{}{} // for takeNext; nobody else sends while a next is there
	case <-timer.C:
	case <-s.expelled:
	case <-s.hub.closed:
	}
	if next := s.takeNext(); next != nil {
		return next
	}
	s.end()
	return nil
}

// end has no connection taken any more. One that was offered is sent away.
func (s *session) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	if next := s.takeNext(); next != nil {
		next.refuse(errNotResumed("the session has ended"))
	}
}
