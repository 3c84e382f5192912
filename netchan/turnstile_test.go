package netchan_test

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/wire"
)

// A turnstile is a line to a home that lets frames through one by one, as a script says:
// the way to have something happen exactly between two frames.

// step is a frame that a script waits for.
type step struct {
	name string
	from int // which turnstile: the number of its client
	up   bool
	is   func(h wire.Header) bool
}

// The three of a meeting, and which turnstile is whose.
const (
	theSender = iota
	theReceiver
	theHome
)

func ofType(t wire.Type) func(wire.Header) bool {
	return func(h wire.Header) bool { return h.Type == t }
}

func anOffer(h wire.Header) bool { return h.Type == wire.TypeSelect && h.Flags&wire.FlagOffer != 0 }

// script lets the frames of its steps through in their order, up to the one it stops
// at. Frames that are no step's always pass.
type script struct {
	steps []step
	stop  int
	// together has the first two come to their turnstiles before either is let through.
	together bool

	mu      sync.Mutex // guards the rest
	changed *sync.Cond
	seen    []bool // of each step: its frame has come to the turnstile
	passed  int    // steps whose frames were let through
	dead    int    // whose other frames are lost, if they are still here
	over    bool   // nothing is stopped any more
	lost    bool   // but the frame that was stopped, which does not arrive
}

func newScript(stop int, steps ...step) *script {
	s := &script{steps: steps, stop: stop, seen: make([]bool, len(steps)), dead: -1}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// await waits until ok, which is asked under mu. It reports false after the patience
// of a test.
func (s *script) await(ok func() bool) bool {
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		late = true
		s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() && !late {
		s.changed.Wait()
	}
	return ok()
}

// ready reports whether the first step may be let through. mu is held.
func (s *script) ready() bool { return !s.together || s.seen[0] && s.seen[1] }

// stopped waits until the frame to stop at has come to its turnstile.
func (s *script) stopped() bool {
	return s.await(func() bool { return s.ready() && s.seen[s.stop] })
}

// died loses what client who has said and no step has let through, but for the frame
// that is stopped.
func (s *script) died(who int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = who
	s.changed.Broadcast()
}

// goOn ends the script.
func (s *script) goOn(lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.lost = true, lost
	s.changed.Broadcast()
}

// pass waits until the frame may go on. It reports false if it is lost, and all that
// follows it.
func (s *script) pass(from int, up bool, h wire.Header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := -1
	for i, st := range s.steps {
		if !s.seen[i] && st.from == from && st.up == up && st.is(h) {
			at = i
			break
		}
	}
	if at < 0 {
		return true
	}
	s.seen[at] = true
	s.changed.Broadcast()
	lost := func() bool { return s.dead == from && at != s.stop }
	for !s.over && !lost() && (at >= s.stop || s.passed < at || !s.ready()) {
		s.changed.Wait()
	}
	if lost() {
		return false
	}
	s.passed = max(s.passed, at+1)
	s.changed.Broadcast()
	return at != s.stop || !s.lost
}

// reacted waits for the frame that answers the last one which was let through down to
// client from, if the script has one.
func (s *script) reacted(from int) {
	s.mu.Lock()
	next := s.stop + 1
	due := s.over && !s.lost && next < len(s.steps) && s.steps[s.stop].from == from && !s.steps[s.stop].up &&
		s.steps[next].from == from && s.steps[next].up
	s.mu.Unlock()
	if due {
		s.await(func() bool { return s.seen[next] })
	}
}

// turnstile is such a line for one client.
type turnstile struct {
	path  string        // where it is
	known chan struct{} // closed when node is known
	node  wire.ID       // the incarnation of the client
	first sync.Once     // guards both

	mu     sync.Mutex // guards the rest
	script *script
	number int
	conns  []net.Conn
	closed bool
}

// under puts g under a script, as number.
func (g *turnstile) under(s *script, number int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.script, g.number = s, number
}

func (g *turnstile) of() (*script, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.script, g.number
}

// newTurnstile makes one to the home at a path.
func newTurnstile(t *testing.T, home string) *turnstile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "g")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return turnstileAt(t, l, func() (net.Conn, error) { return net.Dial("unix", home) })
}

// newTCPTurnstile makes one to the home at a TCP address.
func newTCPTurnstile(t *testing.T, home string) *turnstile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return turnstileAt(t, l, func() (net.Conn, error) { return net.Dial("tcp", home) })
}

func turnstileAt(t *testing.T, l net.Listener, dial func() (net.Conn, error)) *turnstile {
	g := &turnstile{path: l.Addr().String(), known: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			far, err := dial()
			if err != nil || !g.opens(client, far) {
				client.Close()
				continue
			}
			running.Go(func() { g.pump(client, far, true) })
			running.Go(func() { g.pump(far, client, false) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		g.shut(true)
		running.Wait()
	})
	return g
}

// opens takes up a connection, unless the turnstile is shut.
func (g *turnstile) opens(client, far net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		far.Close()
		return false
	}
	g.conns = append(g.conns, client, far)
	return true
}

// shut ends all connections, and lets none through until it is told otherwise.
func (g *turnstile) shut(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
	for _, c := range g.conns {
		c.Close()
	}
	g.conns = nil
}

// pump moves frames from one side to the other until the first ends. What a home does
// not take any more it still reads.
func (g *turnstile) pump(from, to net.Conn, up bool) {
	defer func() {
		if s, n := g.of(); s != nil && !up {
			s.reacted(n)
		}
		to.(interface{ CloseWrite() error }).CloseWrite()
		if up {
			to.Close()
		}
	}()
	r := wire.NewReader(from, 1<<20)
	if _, err := r.Preface(); err != nil {
		return
	}
	to.Write(wire.AppendPreface(nil))
	for {
		h, body, err := r.Next()
		if err != nil {
			return
		}
		if hello, err := wire.ParseHello(h, body); h.Type == wire.TypeHello && err == nil {
			g.first.Do(func() {
				g.node = hello.Incarnation
				close(g.known)
			})
		}
		if s, n := g.of(); s != nil && !s.pass(n, up, h) {
			return
		}
		if _, err := to.Write(wire.AppendRaw(nil, h, body)); err != nil && !up {
			io.Copy(io.Discard, from)
			return
		}
	}
}
