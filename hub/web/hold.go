package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
)

// holds are the values that clients have taken and not settled.
type holds struct {
	mu       sync.Mutex // guards the rest
	named    map[string]*hold
	reserved int // takes under way, and named
	most     int
}

// hold is one of them. Its timer ends it.
type hold struct {
	of    *holds
	name  string
	who   string
	end   *end
	h     driver.Hold
	timer *time.Timer
	ended func() // called once when it is over
}

func newHolds(most int) *holds { return &holds{named: map[string]*hold{}, most: most} }

// reserve makes room for a hold.
func (s *holds) reserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reserved >= s.most {
		return limited("more values are held than this home allows over HTTP")
	}
	s.reserved++
	return nil
}

func (s *holds) unreserve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved--
}

// add names a value that who has taken from e, and uses what was reserved, and the
// user of e that the caller was. ended may be nil.
func (s *holds) add(who string, e *end, h driver.Hold, lease time.Duration, ended func()) *hold {
	var random [16]byte
	rand.Read(random[:]) // never fails
	x := &hold{of: s, name: hex.EncodeToString(random[:]), who: who, end: e, h: h, ended: ended}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.timer = time.AfterFunc(lease, x.lapse)
	s.named[x.name] = x
	return x
}

// find returns the hold of who called name.
func (s *holds) find(who, name string) (*hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.named[name]
	if x == nil || x.who != who {
		return nil, fault.ErrSettled
	}
	return x, nil
}

// over forgets x, once.
func (x *hold) over() {
	s := x.of
	s.mu.Lock()
	there := s.named[x.name] == x
	if there {
		delete(s.named, x.name)
		s.reserved--
	}
	s.mu.Unlock()
	if !there {
		return
	}
	x.timer.Stop()
	x.end.release()
	if x.ended != nil {
		x.ended()
	}
}

// settle does to x what its holder asks.
func (x *hold) settle(kind driver.Kind, delay time.Duration, reason string) error {
	err := x.end.settle(kind, x.h, delay, reason)
	switch {
	case kind == driver.OpExtend && err == nil:
		x.timer.Reset(delay)
	case errors.Is(err, fault.ErrFull) || errors.Is(err, fault.ErrAbandoned):
		// The hold goes on.
	default:
		x.over()
	}
	return err
}

// retryLapse is after what time a hold is looked at again that could not be ended,
// because a dead letter has no room.
const retryLapse = time.Second

func (x *hold) lapse() {
	x.of.mu.Lock() // until add has returned
	x.of.mu.Unlock()
	if err := x.end.lose(x.h, "its lease over HTTP has ended"); errors.Is(err, fault.ErrFull) {
		x.timer.Reset(retryLapse)
		return
	} else if err == nil {
		event.Emit(event.Event{Kind: event.Returned, Channel: x.end.key.channel, Op: "take", Reason: "its lease over HTTP has ended"})
	}
	x.over()
}

// close forgets all. What was held returns as its ends are detached.
func (s *holds) close() { s.drop(func(*hold) bool { return true }) }

// drop forgets those whose fate is settled otherwise.
func (s *holds) drop(which func(*hold) bool) {
	s.mu.Lock()
	var gone []*hold
	for _, x := range s.named {
		if which(x) {
			gone = append(gone, x)
		}
	}
	s.mu.Unlock()
	for _, x := range gone {
		x.over()
	}
}

// dropped tells of a value that nobody has any more.
func dropped(channel, why string) {
	event.Emit(event.Event{Kind: event.Dropped, Channel: channel, Op: "take", Reason: why})
}
