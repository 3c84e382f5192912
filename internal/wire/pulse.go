package wire

import (
	"fmt"
	"sync"
	"time"
)

// DefaultBeat is how long a connection may be silent before one side asks whether
// the other is there, where nobody says otherwise.
const DefaultBeat = 5 * time.Second

// missedBeats is how many beats in a row a connection may be silent before it is
// over.
const missedBeats = 3

// Ping asks whether the other side is there, or answers that this side is. It is
// outside the stream of the session.
type Ping struct{ Answer bool }

// PingAnswer is the flag of a PING that answers another.
const PingAnswer uint8 = 1

// Length implements Frame.
func (f *Ping) Length() int { return HeaderLength }

// Append implements Frame.
func (f *Ping) Append(b []byte) []byte {
	var flags uint8
	if f.Answer {
		flags = PingAnswer
	}
	b, start := begin(b, TypePing, flags)
	return finish(b, start)
}

// ParsePing reads the body of a PING.
func ParsePing(h Header, body []byte) (*Ping, error) {
	if err := flags(h, PingAnswer); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	return &Ping{h.Flags&PingAnswer != 0}, c.end(h.Type)
}

// Silent is the error of a connection over which nothing came for so long.
type Silent struct{ For time.Duration }

func (e *Silent) Error() string { return fmt.Sprintf("nothing was heard for %v", e.For) }

// Pulse watches one connection for a peer that is gone without a word. Each beat
// it looks whether anything came. If not it asks, and after some beats in a row it
// gives the connection up. It counts beats that were seen, not time: a process that
// was stopped, or whose clock was set, has missed one beat at most and not many.
//
// It has no goroutine but that of its timer, for which Stop waits.
type Pulse struct {
	every time.Duration
	came  func() uint64 // grows with what the peer does
	ask   func()        // has the peer do something
	over  func()        // ends the connection

	mu     sync.Mutex // guards the rest; held while a beat runs
	timer  *time.Timer
	seen   uint64
	missed int
	ended  bool // Stop was called
	gaveUp bool
}

// StartPulse watches a connection until Stop. A beat of 0 watches nothing.
func StartPulse(every time.Duration, came func() uint64, ask, over func()) *Pulse {
	p := &Pulse{every: every, came: came, ask: ask, over: over, seen: came()}
	if every > 0 {
		p.mu.Lock()
		p.timer = time.AfterFunc(every, p.beat)
		p.mu.Unlock()
	}
	return p
}

func (p *Pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if now := p.came(); now != p.seen {
		p.seen, p.missed = now, 0
	} else if p.missed++; p.missed > missedBeats {
		p.gaveUp = true
		p.over()
		return
	} else {
		p.ask()
	}
	p.timer.Reset(p.every)
}

// Stop ends the watch. An error says that it has given the connection up.
func (p *Pulse) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.gaveUp {
		return &Silent{time.Duration(missedBeats+1) * p.every}
	}
	return nil
}
