// Package badline is a line between clients and a home that fails on purpose: a
// proxy for TCP connections which cuts, halves, mutes and delays them when it is
// told to. Tests and the demo put it in the way of what has to survive it.
//
// What it cannot do is what only a network can: packets that are lost, repeated or
// out of order. TCP hides those from both sides, or breaks the connection.
package badline

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Direction is one way through a line.
type Direction int

// The directions.
const (
	Up   Direction = iota // from client to home
	Down                  // from home to client
)

// Plan says after how many bytes to the home, and from it, connection number n is
// cut; below 0 never.
type Plan func(n int) (up, down int)

// Never is a plan that cuts nothing.
func Never(int) (up, down int) { return -1, -1 }

// Line is a proxy for the home at one address.
type Line struct {
	l       net.Listener
	running sync.WaitGroup
	ended   chan struct{} // closed by Close

	mu     sync.Mutex // guards the rest
	target string
	plan   Plan
	open   map[*relay]struct{}
	down   bool // nobody gets through
	n      int  // connections since the plan was set
	moved  [2]int
	muted  [2]chan struct{} // not nil: nothing moves until it is closed
	delay  time.Duration    // of every piece
	holdAt [2]int           // mute a direction when so much has moved
	held   [2]chan struct{} // not nil: tell when that is so
}

// relay is one connection through a line.
type relay struct {
	client, home net.Conn
	keeps        [2]atomic.Bool // the home, the client is not to hear of its end
	cut          bool           // by Cut: nothing moves any more; guarded by the line's mu
}

// close ends both sides, but for one that is not to hear of it.
func (r *relay) close() {
	if !r.keeps[Up].Load() {
		r.home.Close()
	}
	if !r.keeps[Down].Load() {
		r.client.Close()
	}
}

// New starts a line to the home at target, on a port of its own of this machine.
func New(target string, plan Plan) (*Line, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &Line{l: l, ended: make(chan struct{}), target: target, plan: plan, open: map[*relay]struct{}{}}
	b.running.Go(b.serve)
	return b, nil
}

// Close ends the line and all its connections.
func (b *Line) Close() {
	b.l.Close()
	close(b.ended)
	b.Cut(true)
	b.running.Wait()
}

// Address is where clients dial.
func (b *Line) Address() string { return b.l.Addr().String() }

func (b *Line) serve() {
	for {
		client, err := b.l.Accept()
		if err != nil {
			return
		}
		if r, up, down := b.connect(client); r != nil {
			b.relay(r, up, down)
		} else {
			client.Close()
		}
	}
}

// connect dials the home for a client; nil if nobody gets through.
func (b *Line) connect(client net.Conn) (r *relay, up, down int) {
	b.mu.Lock()
	n, target, plan, gone := b.n, b.target, b.plan, b.down
	b.n++
	b.mu.Unlock()
	if gone {
		return nil, 0, 0
	}
	home, err := net.Dial("tcp", target)
	if err != nil {
		return nil, 0, 0
	}
	up, down = plan(n)
	return &relay{client: client, home: home}, up, down
}

// relay begins to move bytes both ways.
func (b *Line) relay(r *relay, up, down int) {
	b.mu.Lock()
	gone := b.down
	b.open[r] = struct{}{}
	b.mu.Unlock()
	if gone { // cut while it was dialled
		r.close()
	}
	var both sync.WaitGroup
	both.Go(func() { b.move(r, r.home, r.client, up, Up) })
	both.Go(func() { b.move(r, r.client, r.home, down, Down) })
	b.running.Go(func() {
		both.Wait()
		b.mu.Lock()
		delete(b.open, r)
		b.mu.Unlock()
	})
}

// move copies limit bytes, or all if that is below 0, and closes the relay then or
// when one side does.
func (b *Line) move(r *relay, to, from net.Conn, limit int, d Direction) {
	defer r.close()
	buf := make([]byte, 32<<10)
	for limit != 0 {
		piece := buf
		if limit > 0 && limit < len(piece) {
			piece = piece[:limit]
		}
		n, err := from.Read(piece)
		if n > 0 {
			if !b.moveOn(r, to, piece[:n], d) {
				return
			}
			if limit > 0 {
				limit -= n
			}
		}
		if err != nil {
			return
		}
	}
}

// moveOn moves a piece, as far as it may at once. False says that the relay is over.
func (b *Line) moveOn(r *relay, to net.Conn, piece []byte, d Direction) bool {
	for len(piece) > 0 {
		if !b.pass(d) {
			return false
		}
		n, ok := b.count(r, d, len(piece))
		if !ok {
			return false
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// pass waits until a piece may move on. False says that the line is closed.
func (b *Line) pass(d Direction) bool {
	for {
		b.mu.Lock()
		muted, delay := b.muted[d], b.delay
		b.mu.Unlock()
		switch {
		case muted != nil:
			select {
			case <-muted:
				continue
			case <-b.ended:
				return false
			}
		case delay > 0:
			timer := time.NewTimer(delay)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-b.ended:
				return false
			}
		}
		return true
	}
}

// count counts how many of n bytes may move now, which it returns. False says that
// none may any more.
func (b *Line) count(r *relay, d Direction, n int) (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.cut {
		return 0, false
	}
	if held := b.held[d]; held != nil && b.moved[d]+n >= b.holdAt[d] {
		n = max(b.holdAt[d]-b.moved[d], 0) // it may have moved more before it was asked for
		b.held[d] = nil
		b.muted[d] = make(chan struct{})
		close(held)
	}
	b.moved[d] += n
	return n, true
}

// Cut closes all connections there are, those included of which one side does not
// know, and returns how many; with down nobody gets through until Up.
func (b *Line) Cut(down bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	for r := range b.open {
		r.cut = true
		r.keeps[Up].Store(false)
		r.keeps[Down].Store(false)
		r.close()
	}
	return len(b.open)
}

// CutHalf closes all connections at one side; the one in direction d does not hear
// of it: after CutHalf(Up) the home still believes in the old connection.
func (b *Line) CutHalf(d Direction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for r := range b.open {
		r.keeps[d].Store(true)
		r.close()
	}
}

// Up lets connections through again, to the home at target.
func (b *Line) Up(target string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down, b.target = false, target
}

// Mute keeps what is said in a direction from moving until it is unmuted, as a
// partition does: connections stay, and nobody is told. What is under way when it
// ends arrives late and in order.
func (b *Line) Mute(d Direction, mute bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case mute && b.muted[d] == nil:
		b.muted[d] = make(chan struct{})
	case !mute && b.muted[d] != nil:
		close(b.muted[d])
		b.muted[d] = nil
	}
}

// Hold mutes a direction when so many bytes, at least one, have moved in it since
// the plan was set. What it returns is closed then.
func (b *Line) Hold(d Direction, at int) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := make(chan struct{})
	b.holdAt[d], b.held[d] = at, held
	return held
}

// Delay has every piece, of 32 KiB at most, wait for so long.
func (b *Line) Delay(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay = d
}

// Set changes the plan; connections are counted from 0 again.
func (b *Line) Set(plan Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan, b.n, b.moved = plan, 0, [2]int{}
}

// Figures returns how many connections there were, and how many bytes went each
// way.
func (b *Line) Figures() (connections int, moved [2]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n, b.moved
}
