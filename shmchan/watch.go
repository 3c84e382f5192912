package shmchan

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/bell"
)

// run hears the bell of the member until its life ends.
func (k *keeper) run() {
	defer close(k.over)
	for {
		if _, err := k.life.Wait(time.Time{}); err != nil {
			return
		}
		k.member.Collect()
		runtime.Gosched() // what has ended goes on first
		k.m.watch.look(k.member)
	}
}

// watch knows the bells of the members of other processes, and hears when one dies.
type watch struct {
	m  *mapping
	mu sync.Mutex // guards the rest
	// bells are those of the others. They are let go when their member has.
	bells map[shm.Name]*bell.Ringer
	seen  uint64
	over  chan struct{}
	wg    sync.WaitGroup // of those who wait for a death
}

func (w *watch) init(m *mapping) {
	w.m, w.bells, w.over = m, map[shm.Name]*bell.Ringer{}, make(chan struct{})
}

// ring implements shm.Segment.Ring.
func (w *watch) ring(who shm.Name) {
	r := w.bell(who)
	if r == nil {
		r = w.reach(who)
	}
	if r != nil && r.Ring() == nil {
		return
	}
	w.suspect(who)
	// If another one sits in its place now, that one was marked as rung.
	if now, ok := w.m.At(who.Index); ok && now != who && !w.m.IsHere(now) {
		if r := w.reach(now); r != nil {
			r.Ring()
		}
	}
}

// bell is that of who, nil if it has not been reached.
func (w *watch) bell(who shm.Name) *bell.Ringer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bells[who]
}

// suspect looks whether who, who cannot be rung, is dead.
func (w *watch) suspect(who shm.Name) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.over:
	default:
		w.wg.Go(func() {
			if !w.m.place.Alive(who.ID) {
				w.gone(who)
			}
		})
	}
}

// reach gets hold of the bell of who, and has somebody wait for its death.
func (w *watch) reach(who shm.Name) *bell.Ringer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.bells[who]; r != nil {
		return r
	}
	select {
	case <-w.over:
		return nil
	default:
	}
	r, err := w.m.place.Reach(who.ID)
	if err != nil {
		return nil
	}
	w.bells[who] = r
	w.wg.Go(func() {
		select {
		case <-r.Gone():
			w.gone(who)
		case <-w.over:
		}
	})
	return r
}

// gone clears away who, whose bell is gone: it has died, or left. A member of this process that
// leaves at this moment does not do it, and another one has to.
func (w *watch) gone(who shm.Name) {
	w.forget(who)
	for m := w.m.Anybody(); m != nil; m = w.m.Anybody() {
		switch err := m.Clear(who); {
		case err == nil:
			w.m.place.Forget(who.ID)
			return
		case !errors.Is(err, shm.ErrLeft):
			return
		}
	}
}

// greet has all others look who has come.
func (w *watch) greet(member *shm.Member) {
	others, _ := member.Others(0)
	for _, who := range others {
		w.ring(who)
	}
}

func (w *watch) forget(who shm.Name) {
	w.mu.Lock()
	r := w.bells[who]
	delete(w.bells, who)
	w.mu.Unlock()
	if r != nil {
		r.Close()
	}
}

// look gets to know who has come since the last look, for member.
func (w *watch) look(member *shm.Member) {
	w.mu.Lock()
	seen := w.seen
	w.mu.Unlock()
	others, word := member.Others(seen)
	if word == seen {
		return
	}
	w.mu.Lock()
	w.seen = word
	w.mu.Unlock()
	for _, who := range others {
		if w.reach(who) == nil && !w.m.place.Alive(who.ID) {
			w.gone(who)
		}
	}
}

// check looks whether all others live.
func (w *watch) check(member *shm.Member) {
	others, _ := member.Others(0)
	for _, who := range others {
		r := w.bell(who)
		if (r == nil || !r.Alive()) && !w.m.place.Alive(who.ID) {
			w.gone(who)
		}
	}
}

// end lets everybody go.
func (w *watch) end() {
	w.mu.Lock()
	close(w.over) // nobody begins to wait from here on
	w.mu.Unlock()
	w.wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.bells {
		r.Close()
	}
	w.bells = nil
}
