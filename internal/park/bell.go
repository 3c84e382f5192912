package park

import "sync"

// A Kind of wake channel, by its number of slots.
type Kind int

const (
	// Hand has no slot: the handshake of a select with native cases.
	Hand Kind = 0
	// Bell has one slot, so that ringing it never blocks.
	Bell Kind = 1
)

// Fate says what becomes of a wake channel when its waiter is done.
type Fate uint8

const (
	// Keep it for the next waiter of the same channel.
	Keep Fate = iota
	// Lent: give it to Return.
	Lent
	// Drop it.
	Drop
)

// New returns a wake channel for a channel that was made inside a bubble (home
// true) or outside (home false), and what to do with it afterwards.
//
// A channel made inside a bubble is used from inside only, so whatever is made
// here is right for it. A channel made outside may be used from both sides, as a
// native channel may; its wake channels must be born outside, wherever the
// waiter is. Inside a bubble none can be made that is, so those come from a
// small stock made at the start of the process. As with Go's own channels, such
// a wait is not durable to synctest. Should the stock run out, the wait is
// durable, and only a peer inside the same bubble can end it.
func New(kind Kind, home bool) (chan struct{}, Fate) {
	if home || !InBubble() {
		return make(chan struct{}, int(kind)), Keep
	}
	if c := outside.take(kind); c != nil {
		return c, Lent
	}
	return make(chan struct{}, int(kind)), Drop
}

// Return gives back a wake channel that was Lent.
func Return(kind Kind, c chan struct{}) { outside.put(kind, c) }

// stockSize is how many goroutines inside bubbles can be blocked at one time on
// channels made outside before the stock runs out.
const stockSize = 64

// stock holds wake channels born outside every bubble. They are made when the
// process starts, as nothing made inside a bubble is outside it.
type stock struct {
	mu   sync.Mutex // guards idle
	idle [2][]chan struct{}
}

var outside = newStock()

func newStock() *stock {
	s := &stock{}
	for kind := range s.idle {
		for range stockSize {
			s.idle[kind] = append(s.idle[kind], make(chan struct{}, kind))
		}
	}
	return s
}

func (s *stock) take(kind Kind) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.idle[kind]
	if len(idle) == 0 {
		return nil
	}
	c := idle[len(idle)-1]
	s.idle[kind] = idle[:len(idle)-1]
	return c
}

func (s *stock) put(kind Kind, c chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle[kind] = append(s.idle[kind], c)
}
