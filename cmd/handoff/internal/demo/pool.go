package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// deathsMost is how many workers may die that nobody here killed. Something else
// is wrong then, and replacing them would go on for ever.
const deathsMost = 16

// process is one running worker.
type process interface {
	pid() int
	// kill ends it at once and without its doing.
	kill() error
	// wait returns when it has ended. It is called once.
	wait() ending
}

// ending is how a process ended: well, if both are zero.
type ending struct {
	killed bool  // by a signal
	err    error // what it said before it gave up
}

// launcher starts the worker called id. The worker does not outlive ctx.
type launcher func(ctx context.Context, id int) (process, error)

// pool keeps a number of workers running until they are done. One that dies is
// replaced.
type pool struct {
	launch   launcher
	replaced func(dead, fresh *member)

	// The goroutine in run owns these.
	ends    chan ended
	running int
	deaths  int

	mu      sync.Mutex // guards members and the fields of each
	members []*member  // the one called id at id-1
}

// member is one worker of a pool, running or not.
type member struct {
	id       int
	replaces int // id of the dead one, 0 for none
	proc     process
	killed   bool // by us
	died     bool // by another hand
}

type ended struct {
	m   *member
	how ending
}

// run starts n workers and returns when all have ended. A worker that fails ends
// the others.
func (p *pool) run(ctx context.Context, n int) (err error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	p.ends = make(chan ended)
	for range n {
		if _, err = p.start(within, 0); err != nil {
			cancel()
			break
		}
	}
	for p.running > 0 {
		e := <-p.ends
		p.running--
		if within.Err() != nil {
			continue // it was told to end, whatever it says
		}
		if err = p.after(within, e); err != nil {
			cancel()
		}
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// start adds a worker. A goroutine waits for its process, and run for the
// goroutine.
func (p *pool) start(ctx context.Context, replaces int) (*member, error) {
	m := &member{id: len(p.members) + 1, replaces: replaces}
	var err error
	if m.proc, err = p.launch(ctx, m.id); err != nil {
		return nil, fmt.Errorf("worker %d does not start: %w", m.id, err)
	}
	p.mu.Lock()
	p.members = append(p.members, m)
	p.mu.Unlock()
	p.running++
	go func() { p.ends <- ended{m, m.proc.wait()} }()
	return m, nil
}

// after does what the end of a worker asks for.
func (p *pool) after(ctx context.Context, e ended) error {
	p.mu.Lock()
	mine := e.m.killed
	e.m.died = e.how.killed && !mine
	p.mu.Unlock()
	switch {
	case mine:
	case e.how.err != nil:
		return fmt.Errorf("worker %d: %w", e.m.id, e.how.err)
	case !e.how.killed:
		return nil
	default:
		if p.deaths++; p.deaths > deathsMost {
			return fmt.Errorf("%d workers were killed by someone else", p.deaths)
		}
	}
	fresh, err := p.start(ctx, e.m.id)
	if err == nil {
		p.replaced(e.m, fresh)
	}
	return err
}

// kill ends the worker called id.
func (p *pool) kill(id int) error {
	m := p.member(id)
	if m == nil {
		return fmt.Errorf("there is no worker %d to kill", id)
	}
	p.mu.Lock()
	m.killed = true
	p.mu.Unlock()
	// One that died in this very moment is as dead as we want it.
	if err := m.proc.kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("worker %d cannot be killed: %w", id, err)
	}
	return nil
}

// member returns the worker called id, nil if there is none.
func (p *pool) member(id int) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id < 1 || id > len(p.members) {
		return nil
	}
	return p.members[id-1]
}
