package netchan

import (
	"context"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
)

// links are the connections of this process, one to a home.
var links = pool{entries: map[string]*entry{}}

// pool shares links between the attachments that need them. A link is dialled
// when the first attachment needs it and closed with the last.
type pool struct {
	mu      sync.Mutex // guards the rest and every entry's fields
	entries map[string]*entry
}

// entry is a link that is there or being made.
type entry struct {
	made chan struct{} // closed when link is set or dialling has failed
	link *link
	refs int // attachments, opening ones included
}

// get returns the link to a home, with one more reference, and whether it was
// made just now; release gives it back. Several openers share one dialling, but not
// its failure: each tries itself, under its own context. So behind a home that does
// not answer they wait one after the other, each as long as its context lets it and
// the handshake may take.
func (p *pool) get(ctx context.Context, to place) (l *link, fresh bool, err error) {
	for {
		p.mu.Lock()
		e := p.entries[to.key]
		if e == nil {
			e = &entry{made: make(chan struct{})}
			p.entries[to.key] = e
			p.mu.Unlock()
			l, err := p.make(ctx, to, e)
			return l, true, err
		}
		if e.link != nil {
			e.refs++
			p.mu.Unlock()
			return e.link, false, nil
		}
		p.mu.Unlock()
		select {
		case <-e.made:
		case <-ctx.Done():
			return nil, false, fault.Cancelled(ctx)
		}
	}
}

// make dials for e, which this call has put into the pool.
func (p *pool) make(ctx context.Context, to place, e *entry) (*link, error) {
	l, err := connect(ctx, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(e.made)
	if err != nil {
		delete(p.entries, to.key)
		return nil, err
	}
	e.link, e.refs = l, 1
	l.lost = func() { p.forget(to.key, e) }
	l.left = func() bool { return p.release(to.key, e) }
	go l.run()
	return l, nil
}

// forget has the next opener dial anew: e's link has ended.
func (p *pool) forget(key string, e *entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries[key] == e {
		delete(p.entries, key)
	}
}

// release gives up a reference. The last one, which it reports, ends the link; it
// does not wait for that.
func (p *pool) release(key string, e *entry) (last bool) {
	p.mu.Lock()
	e.refs--
	last = e.refs == 0
	if last && p.entries[key] == e {
		delete(p.entries, key)
	}
	p.mu.Unlock()
	if last {
		e.link.leave()
	}
	return last
}
