package demo

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// puppet is a process that ends as it is told.
type puppet struct {
	number int
	ends   chan ending // one slot
}

func (p *puppet) pid() int     { return 100 + p.number }
func (p *puppet) kill() error  { p.ends <- ending{killed: true}; return nil }
func (p *puppet) wait() ending { return <-p.ends }

// theatre launches puppets, each of which script tells how to end: nil for when
// the context does.
func theatre(script func(id int) *ending) launcher {
	return func(ctx context.Context, id int) (process, error) {
		p := &puppet{id, make(chan ending, 1)}
		if e := script(id); e != nil {
			p.ends <- *e
		} else {
			context.AfterFunc(ctx, func() { p.ends <- ending{killed: true} })
		}
		return p, nil
	}
}

func TestPool(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name     string
		script   func(id int) *ending
		says     string // in the error
		launched int
		died     int
	}{
		{"all well", func(int) *ending { return &ending{} }, "", 3, 0},
		{"one fails, the others are ended", func(id int) *ending {
			if id == 2 {
				return &ending{err: broken}
			}
			return nil
		}, "worker 2: broken", 3, 0},
		{"two die and are replaced", func(id int) *ending { return &ending{killed: id < 3} }, "", 5, 2},
		{"all die for ever", func(int) *ending { return &ending{killed: true} }, "killed by someone else", 3 + deathsMost, deathsMost + 1},
	} {
		replaced := 0
		p := &pool{launch: theatre(c.script), replaced: func(dead, fresh *member) {
			replaced++
			if !dead.died || fresh.replaces != dead.id {
				t.Errorf("%s: %+v replaces %+v", c.name, fresh, dead)
			}
		}}
		err := p.run(t.Context(), 3)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
		died := 0
		for _, m := range p.members {
			if m.died {
				died++
			}
		}
		if len(p.members) != c.launched || died != c.died || replaced != c.launched-3 || p.running != 0 {
			t.Errorf("%s: %d launched, %d died, %d replaced, %d running", c.name, len(p.members), died, replaced, p.running)
		}
	}
}

func TestPoolKill(t *testing.T) {
	p := &pool{launch: theatre(func(id int) *ending {
		if id == 1 {
			return nil
		}
		return &ending{}
	})}
	started := make(chan struct{})
	launch := p.launch
	p.launch = func(ctx context.Context, id int) (process, error) {
		if id == 2 {
			close(started) // the first is a member now
		}
		return launch(ctx, id)
	}
	p.replaced = func(dead, fresh *member) {
		if dead.id != 1 || !dead.killed || dead.died || fresh.id != 3 {
			t.Errorf("%+v replaces %+v", fresh, dead)
		}
	}
	killed := make(chan error, 1)
	go func() {
		<-started
		killed <- p.kill(1)
	}()
	if err := p.run(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if err := <-killed; err != nil {
		t.Error(err)
	}
	if err := p.kill(9); err == nil {
		t.Error("killed a worker that never was")
	}
}

func TestPoolInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	p := &pool{launch: theatre(func(id int) *ending {
		if id == 3 {
			cancel(why)
		}
		return nil
	})}
	if err := p.run(ctx, 3); !errors.Is(err, why) || p.running != 0 {
		t.Errorf("%v, %d running", err, p.running)
	}
}
