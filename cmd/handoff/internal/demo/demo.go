// Package demo is the main job of handoff on real input: real data crosses
// processes through channels, a process dies in the middle, and nothing is lost.
//
// Four parties take part. The walker and the collector are in this process, which
// is also the home of the channels if they need one; they use the channels by URL as the others
// do. The workers are processes of their own. The executioner, in this process
// too, kills one of them while it holds a value.
//
//	walker ──paths──▶ workers ──results──▶ collector
//	                  victim ──holding──▶ executioner
package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
)

// Config is what to run.
type Config struct {
	Dir     string // "" for the sources of the Go on this machine
	Over    string // one of Media
	Workers int
	Seed    uint64 // chooses the value that is held when a worker is killed
	KillAt  string // KillTake or KillBetween
	Cut     int    // how often the line to the home is cut; only over TCP
	Exe     string // this binary, which is also the workers'
}

// The slots of the channels. Paths are enough to keep workers from waiting for
// the walker; results are more, for the collector takes many at once.
const (
	pathSlots   = 64
	resultSlots = 256
)

// batch is how many values cross at once where many do.
const batch = 128

// demo is one run.
type demo struct {
	Config
	screen  *screen.Screen
	home    *home
	list    listing
	paths   handoff.Sender[job]
	results handoff.Chan[result]
	holding handoff.Chan[holding]
	pool    *pool
	tally   *tally
	victim  *holding // set by the executioner
	cutter  *cutter
	began   time.Time
	moved   flow // what crossed
}

// flow is bytes of values sent and received, as encoded.
type flow struct{ pathBytes, resultBytes int64 }

// Run runs the demo and reports. The report may say that something was lost; an
// error is that there is nothing to report. When Run returns, whatever it
// returns, every worker has ended and every file it made is gone.
func Run(ctx context.Context, c Config, s *screen.Screen) (_ *Report, err error) {
	defer s.Clear()
	d := &demo{Config: c, screen: s, began: time.Now()}
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	across, err := d.across(ctx)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	start := time.Now()
	alone, err := d.alone(ctx)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	return d.report(across, alone, time.Since(start)), nil
}

// interrupted returns the reason the whole was ended for, if it was, and not
// what came of it.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (d *demo) prepare(ctx context.Context) (err error) {
	if d.Dir, err = folder(ctx, d.Dir); err != nil {
		return err
	}
	d.list, err = list(ctx, d.Dir)
	d.tally = newTally(len(d.list.paths))
	return err
}

// across has the files counted by worker processes. It returns how long that
// took, from the first path to the last result.
func (d *demo) across(ctx context.Context) (_ time.Duration, err error) {
	if d.home, err = openHome(d.Over); err != nil {
		return 0, err
	}
	defer func() {
		if bad := d.home.close(); err == nil {
			err = bad
		}
	}()
	if d.cutter, err = newCutter(d.home, d.Cut); err != nil {
		return 0, err
	}
	defer d.cutter.stop()
	d.pool = &pool{launch: children(d.Exe, d.home, d.Dir), replaced: d.tellReplaced}
	if err = d.open(ctx); err != nil {
		return 0, errors.Join(err, d.detach())
	}
	d.screen.Say("%s: %s Go files", shown(d.Dir), number(len(d.list.paths)))
	where := "home at " + d.home.base
	if d.home.hub == nil {
		where = "segments " + d.home.base + "-*"
	}
	d.screen.Say("%s, %s", where, plural(d.Workers, "worker process", "worker processes"))

	start := time.Now()
	c := newCrew(ctx)
	c.do(d.walk)
	c.do(d.work)
	c.do(d.collect)
	c.do(d.execute)
	err = c.wait()
	took := time.Since(start)
	if bad := d.detach(); err == nil {
		err = bad
	}
	return took, err
}

func (d *demo) open(ctx context.Context) (err error) {
	if d.paths, err = handoff.OpenSender[job](ctx, channelURL(d.home.base, pathsName), handoff.Slots(pathSlots)); err != nil {
		return err
	}
	if d.results, err = handoff.Open[result](ctx, channelURL(d.home.base, resultsName), handoff.Slots(resultSlots)); err != nil {
		return err
	}
	d.holding, err = handoff.Open[holding](ctx, channelURL(d.home.base, holdingName), handoff.Slots(0))
	return err
}

func (d *demo) detach() error {
	var all error
	if d.paths != (handoff.Sender[job]{}) {
		all = errors.Join(all, d.paths.Detach())
	}
	if d.results != (handoff.Chan[result]{}) {
		all = errors.Join(all, d.results.Detach())
	}
	if d.holding != (handoff.Chan[holding]{}) {
		all = errors.Join(all, d.holding.Detach())
	}
	return all
}

// walk sends every path and closes. One of them, about half-way, carries the
// order that its taker dies.
func (d *demo) walk(ctx context.Context) error {
	n := len(d.list.paths)
	fatal := fatalJob(d.Seed, n)
	if err := d.send(ctx, 0, fatal); err != nil {
		return err
	}
	if err := d.send(handoff.WithHeader(ctx, orderHeader, d.KillAt), fatal, fatal+1); err != nil {
		return err
	}
	if err := d.send(ctx, fatal+1, n); err != nil {
		return err
	}
	return d.paths.Close()
}

// send sends the paths from one place in the list to another, many at once.
func (d *demo) send(ctx context.Context, from, to int) error {
	jobs := make([]job, 0, batch)
	for no := from; no < to; no++ {
		jobs = append(jobs, job{No: uint32(no), Path: d.list.paths[no]})
		d.moved.pathBytes += int64(jobBytes + len(d.list.paths[no]))
		if len(jobs) < batch && no+1 < to {
			continue
		}
		if _, err := d.paths.SendAll(ctx, jobs); err != nil {
			return err
		}
		jobs = jobs[:0]
	}
	return nil
}

// fatalJob chooses one of n jobs, from the middle fifth.
func fatalJob(seed uint64, n int) int {
	width := max(n/5, 1)
	return (n-width)/2 + rand.New(rand.NewPCG(seed, 0)).IntN(width)
}

// work keeps the workers running until all paths are confirmed. Nobody sends
// results after that, and nobody is left to be killed.
func (d *demo) work(ctx context.Context) error {
	if err := d.pool.run(ctx, d.Workers); err != nil {
		return err
	}
	return errors.Join(d.results.Close(), d.holding.Close())
}

// execute kills the worker that says it holds the fatal job.
func (d *demo) execute(ctx context.Context) error {
	h, err := d.holding.Recv(ctx)
	if errors.Is(err, handoff.ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	m := d.pool.member(int(h.Worker))
	if m == nil || int(h.No) >= len(d.list.paths) {
		return fmt.Errorf("a worker %d that nobody started holds file %d", h.Worker, h.No)
	}
	d.victim = &h
	when := "took %s and is killed while it holds it"
	if d.KillAt == KillBetween {
		when = "sent the result of %s and is killed before it confirms"
	}
	d.screen.Say("worker %d (pid %d) "+when, m.id, m.proc.pid(), shown(d.list.paths[h.No]))
	return d.pool.kill(m.id)
}

func (d *demo) tellReplaced(dead, fresh *member) {
	if dead.died {
		d.screen.Say("worker %d (pid %d) was killed by someone else", dead.id, dead.proc.pid())
	}
	d.screen.Say("worker %d (pid %d) replaces worker %d", fresh.id, fresh.proc.pid(), dead.id)
}
