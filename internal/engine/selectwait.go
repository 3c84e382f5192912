package engine

import (
	"context"
	"time"

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
func (s *Select) wait(ctx context.Context, pend bool) (int, error) {
	quit := ctx.Done()
	var clock <-chan time.Time
	var due *timerCase
	if !pend {
		due, clock = s.startTimer()
		defer s.stopTimer(clock)
		s.offer()
	}
	wantQuit, wantDue := false, false
	for {
		switch sig := s.park(quit, clock); sig {
		case rang:
			if s.tk.State() == ticket.Synced {
				return s.tk.Winner(), nil
			}
			if !wantQuit && !wantDue {
				s.reconsider()
			}
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
				return s.giveUp(err)
			}
		}
	}
}

// park waits for one signal. Native cases are looked at only while the ticket is
// Waiting.
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

// startTimer starts the timer of the soonest After case.
func (s *Select) startTimer() (*timerCase, <-chan time.Time) {
	var due *timerCase
	for _, t := range s.timers {
		if !s.off[t.i] && (due == nil || t.d < due.d) {
			due = t
		}
	}
	if due == nil {
		return nil, nil
	}
	if s.timer == nil {
		s.timer = time.NewTimer(due.d)
	} else {
		s.timer.Reset(due.d)
	}
	return due, s.timer.C
}

func (s *Select) stopTimer(clock <-chan time.Time) {
	if clock != nil {
		s.timer.Stop()
	}
}
