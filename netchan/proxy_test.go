package netchan_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between clients and a home, and cuts their connections.
type proxy struct {
	target string
	l      net.Listener
	// plan says after how many bytes to the home, and from it, the connection
	// number n is cut; below 0 never.
	plan func(n int) (up, down int)

	running sync.WaitGroup

	mu    sync.Mutex // guards what is below
	open  map[*relay]struct{}
	down  bool // nobody gets through
	n     int
	moved [2]int // bytes of all connections
}

// relay is one connection through a proxy.
type relay struct {
	client, home net.Conn
	half         atomic.Bool // the home is not to hear of its end
}

func (r *relay) close() {
	r.client.Close()
	if !r.half.Load() {
		r.home.Close()
	}
}

// never is a plan that cuts nothing.
func never(int) (int, int) { return -1, -1 }

// through starts a proxy for the home at target.
func through(t testing.TB, target string, plan func(int) (int, int)) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, l: l, plan: plan, open: map[*relay]struct{}{}}
	p.running.Go(p.serve)
	t.Cleanup(func() {
		l.Close()
		p.cut(true)
		p.running.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.l.Addr().String() }

func (p *proxy) serve() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		n, target, plan, gone := p.n, p.target, p.plan, p.down
		p.n++
		p.mu.Unlock()
		if gone {
			client.Close()
			continue
		}
		home, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		r := &relay{client: client, home: home}
		p.mu.Lock()
		p.open[r] = struct{}{}
		p.mu.Unlock()
		up, down := plan(n)
		var both sync.WaitGroup
		both.Go(func() { p.move(r, home, client, up, 0) })
		both.Go(func() { p.move(r, client, home, down, 1) })
		p.running.Go(func() {
			both.Wait()
			p.mu.Lock()
			delete(p.open, r)
			p.mu.Unlock()
		})
	}
}

// move copies limit bytes, or all if that is below 0, and closes the relay then or
// when one side does.
func (p *proxy) move(r *relay, to, from net.Conn, limit, direction int) {
	defer r.close()
	var n int64
	if limit < 0 {
		n, _ = io.Copy(to, from)
	} else {
		n, _ = io.CopyN(to, from, int64(limit))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved[direction] += int(n)
}

// cut closes all connections there are; with down nobody gets through until up.
func (p *proxy) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for r := range p.open {
		r.half.Store(false)
		r.close()
	}
}

// cutHalf closes all connections, and no home hears of it.
func (p *proxy) cutHalf() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.open {
		r.half.Store(true)
		r.close()
	}
}

// up lets connections through again, to the home at target.
func (p *proxy) up(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.target = false, target
}

// set changes the plan; connections are counted from 0 again.
func (p *proxy) set(plan func(int) (int, int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.n, p.moved = plan, 0, [2]int{}
}

// figures returns how many connections there were, and how many bytes went each
// way over those that have ended.
func (p *proxy) figures() (connections int, moved [2]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, p.moved
}
