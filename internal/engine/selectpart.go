package engine

import (
	"context"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is what a select over this process and others needs of its part here.

// Ready returns how many cases look ready, those on native channels always: a guess
// that no more than fairness may hang on.
//
//go:norace
func (s *Select) Ready() (n int) {
	for i, l := range s.ours {
		if l != nil && !s.off[i] && l.hints() {
			n++
		}
	}
	for _, t := range s.timers {
		if !s.off[t.i] && t.d <= 0 {
			n++
		}
	}
	return n + len(s.nativesOn())
}

// TryNow is Do that does not wait for a case to get ready: it returns false if at one
// moment none was. With beside it behaves as beside a default: a send that would be
// held counts as not ready.
//
//go:norace
func (s *Select) TryNow(ctx context.Context, h Header, first, beside bool) (i int, ok bool, err error) {
	if ctx.Err() != nil {
		return -1, true, fault.Cancelled(ctx)
	}
	s.done = ctx.Done()
	for _, l := range s.senders {
		l.begin(s, h)
	}
	s.arrange(first)
	s.beside = beside
	defer func() { s.beside = false }()
	s.lockAll()
	i, v := s.look(first)
	if v == unready && len(s.natives) > 0 {
		i, v = s.lookNative()
	}
	if v == pending {
		s.prepareWait()
	}
	s.unlockAll()
	switch v {
	case unready:
		s.clear(-1)
		return -1, false, nil
	case pending:
		i, err = s.wait(ctx, true)
		s.leave(i)
	}
	i, err = s.run(i, err)
	return i, true, err
}

// hurry has the foreign case that has claimed the ticket end that soon.
//
//go:norace
func (s *Select) hurry(cause error) {
	if !s.offered {
		return
	}
	for _, f := range s.foreigns {
		if h, ok := f.foreign.(Hurried); ok && !s.off[f.i] {
			h.Hurry(cause)
		}
	}
}

// tellBound tells the foreign cases that the ticket is not to be had any more, though
// the turn goes on: one of them has bound it, and its outcome is still to come.
//
//go:norace
func (s *Select) tellBound() {
	if s.tk.State() == ticket.Synced {
		s.tellFreed()
	}
}

// tellFreed tells the foreign cases that the ticket is free again.
//
//go:norace
func (s *Select) tellFreed() {
	if !s.offered {
		return
	}
	for _, f := range s.foreigns {
		if h, ok := f.foreign.(Freed); ok && !s.off[f.i] {
			h.Freed()
		}
	}
}
