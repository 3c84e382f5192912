package engine

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/handoff-go/handoff/internal/park"
	"github.com/handoff-go/handoff/internal/ticket"
)

// signal is what ended a park.
type signal int

const (
	rang   signal = -1 - iota // the bell
	handed                    // the handshake: whoever made it has the ticket and will ring
	done                      // the context
	timed                     // the timer
	// 0 and above: that native case was consumed
)

// wait parks until a case has won. pend says that one already has, and only its
// settlement is missing.
//
// The timer and the context want the ticket like anybody else. While it is
// claimed by a home they cannot have it, and wait for the release.
//
//go:norace
func (s *Select) wait(ctx context.Context, pend bool) (int, error) {
	quit := ctx.Done()
	var clock <-chan time.Time
	var due *timerCase
	if !pend {
		var timer *time.Timer
		if due, timer = s.startTimer(); due != nil {
			clock = timer.C
			defer timer.Stop()
		}
		s.offer()
	}
	if s.atDoor {
		if !s.ended() {
			s.Park()
		}
		return s.heard()
	}
	wantQuit, wantDue := false, false
	for {
		switch sig := s.park(quit, clock); sig {
		case rang:
			if s.tk.Over() {
				return s.tk.Winner(), nil
			}
			if !wantQuit && !wantDue {
				s.lookAgain()
			}
			s.tellBound()
		case handed:
		case done:
			wantQuit, quit = true, nil
		case timed:
			wantDue, clock = true, nil
		default:
			s.tk.Fire(int(sig))
			return int(sig), nil
		}
		if wantDue && s.tk.Win(due.i) == ticket.Won {
			return due.i, nil
		}
		if wantQuit {
			if s.tk.Abort() {
				return cancelled(ctx)
			}
			if s.tk.State() == ticket.Synced {
				_, err := cancelled(ctx)
				return s.giveUp(err), nil
			}
			_, err := cancelled(ctx)
			s.hurry(err)
		}
	}
}

// heard is called when the door has rung, and returns how the turn ended once it
// has.
//
//go:norace
func (s *Select) heard() (int, error) {
	for !s.tk.Over() {
		s.door.Hush() // and then look: a ring from now on is kept
		switch {
		case s.tk.Over():
		case s.ended() && s.tk.Abort():
			return cancelled(s.watch.ctx)
		case s.ended() && s.tk.State() == ticket.Synced:
			_, err := cancelled(s.watch.ctx)
			return s.giveUp(err), nil
		default:
			if s.ended() {
				_, err := cancelled(s.watch.ctx)
				s.hurry(err)
			}
			s.lookAgain()
			s.tellBound()
			s.door.Wait()
		}
	}
	return s.tk.Winner(), nil
}

// lookAgain looks at every case once more after a claim was released.
//
//go:norace
func (s *Select) lookAgain() {
	if s.ended() {
		return // it wants none any more
	}
	if s.tk.State() == ticket.Waiting {
		s.reconsider()
		s.tk.Looked()
		s.tellFreed()
	}
}

// park waits for one signal. Native cases are looked at only while the ticket is
// Waiting.
//
//go:norace
func (s *Select) park(quit <-chan struct{}, clock <-chan time.Time) signal {
	if s.watchesNative() && s.tk.Arm() {
		sig := s.parkNative(quit, clock)
		if sig < 0 {
			s.tk.Disarm()
		}
		return sig
	}
	bell := s.tk.Bell()
	if quit == nil && clock == nil {
		<-bell
		return rang
	}
	select {
	case <-bell:
		return rang
	case <-quit:
		return done
	case <-clock:
		return timed
	}
}

// startTimer starts the timer of the soonest After case, any of them if several
// are. A timer belongs to the clock it was made under, so inside a synctest
// bubble each turn makes its own.
//
//go:norace
func (s *Select) startTimer() (*timerCase, *time.Timer) {
	var due *timerCase
	ties := 0
	for _, t := range s.timers {
		if s.off[t.i] || due != nil && t.d > due.d {
			continue
		}
		if due == nil || t.d < due.d {
			ties = 0
		}
		if ties++; rand.IntN(ties) == 0 {
			due = t
		}
	}
	switch {
	case due == nil:
		return nil, nil
	case park.InBubble():
		return due, time.NewTimer(due.d)
	case s.timer == nil:
		s.timer = time.NewTimer(due.d)
	default:
		s.timer.Reset(due.d)
	}
	return due, s.timer
}
