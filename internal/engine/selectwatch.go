package engine

import (
	"context"
	"runtime"
	"sync/atomic"
	"weak"
)

// This file is watch.go for a Select, which has one goroutine: the end of the
// context rings at its door, and it looks whether it may still give up.

// selectWatch is a context that tells a Select of its end.
type selectWatch struct {
	ctx  context.Context
	done <-chan struct{}
	over atomic.Bool // it has ended; stored before the ring, loaded after
	stop func() bool
	tidy runtime.Cleanup // stops it when the Select is gone
}

// watched reports whether s is told of the end of the context of this turn. If not,
// it counts the turn, and asks the context once there were many.
//
//go:norace
func (s *Select) watched() bool {
	done := s.done
	if s.watch != nil && s.watch.over.Load() {
		s.watch.tidy.Stop()
		s.watch = nil
	}
	s.told = done != nil && s.watch != nil && s.watch.done == done
	if done == nil || s.told {
		return true
	}
	s.keen = s.again(done)
	return false
}

// ended reports whether the context that is watched has ended, if this turn waits
// at the door under it.
//
//go:norace
func (s *Select) ended() bool { return s.atDoor && s.told && s.watch.over.Load() }

// ask asks ctx to tell s of its end. Only between two turns.
//
//go:norace
func (s *Select) ask(ctx context.Context) {
	s.keen = false
	own := tells(ctx)
	if s.asked(own != nil); own == nil {
		return
	}
	if s.watch != nil {
		s.watch.stop()
		s.watch.tidy.Stop()
	}
	w := &selectWatch{ctx: own, done: own.Done()}
	// The context may live much longer than the select, and must not keep it: see
	// Chan.ask.
	there := weak.Make(s)
	w.stop = context.AfterFunc(own, func() {
		w.over.Store(true)
		if s := there.Value(); s != nil {
			s.door.Ring()
		}
	})
	s.watch = w
	w.tidy = runtime.AddCleanup(s, func(stop func() bool) { stop() }, w.stop)
}
