package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
)

// Worker is one of the processes that parse: it takes a path, parses the file,
// sends the result and then confirms the path, until there are no more.
type Worker struct {
	Home  string // base URL of the demo's channels
	Files string // folder of the home's files
	Dir   string // the folder
	ID    int

	paths   handoff.Receiver[job]
	results handoff.Sender[result]
	holding handoff.Sender[holding]
}

// Run works until the paths are closed and all of them confirmed.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.open(ctx); err != nil {
		return errors.Join(err, w.detach())
	}
	err := w.work(ctx)
	// Not deferred: a worker that is done has to hear whether it got away.
	if bad := w.detach(); err == nil {
		err = bad
	}
	return err
}

// open attaches to channels that are there already.
func (w *Worker) open(ctx context.Context) error {
	there := handoff.Create("no")
	return errors.Join(
		patiently(ctx, func() (err error) {
			w.paths, err = handoff.OpenReceiver[job](ctx, channelURL(w.Home, pathsName), there)
			return err
		}),
		patiently(ctx, func() (err error) {
			w.results, err = handoff.OpenSender[result](ctx, channelURL(w.Home, resultsName), there)
			return err
		}),
		patiently(ctx, func() (err error) {
			w.holding, err = handoff.OpenSender[holding](ctx, channelURL(w.Home, holdingName), there)
			return err
		}))
}

// How long a worker tries to open a channel.
const (
	openTries = 20
	openPause = 50 * time.Millisecond
)

// patiently opens once more where the home was not reached. A connection that breaks
// under a channel is made anew by handoff; one that breaks before there is a channel
// is an error, and it is for the caller to try again.
func patiently(ctx context.Context, open func() error) (err error) {
	for range openTries {
		if err = open(); !errors.Is(err, handoff.ErrUnreachable) {
			return err
		}
		select {
		case <-time.After(openPause):
		case <-ctx.Done():
			return err
		}
	}
	return err
}

func (w *Worker) detach() error {
	var all error
	for _, end := range []struct {
		open   bool
		detach func() error
	}{
		{w.paths != handoff.Receiver[job]{}, w.paths.Detach},
		{w.results != handoff.Sender[result]{}, w.results.Detach},
		{w.holding != handoff.Sender[holding]{}, w.holding.Detach},
	} {
		if end.open {
			all = errors.Join(all, end.detach())
		}
	}
	return all
}

func (w *Worker) work(ctx context.Context) error {
	for d, err := range w.paths.Deliveries(ctx) {
		if err != nil {
			return err
		}
		if err := w.one(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// one turns a path into a result. The path is confirmed only when the result has
// left: a worker that dies before loses nothing, one that dies in between has
// its result come twice.
func (w *Worker) one(ctx context.Context, d handoff.Delivery[job]) error {
	order := d.Header[orderHeader]
	if d.Attempt > 1 {
		order = "" // it was for the one that is dead
	}
	if order == KillTake {
		return w.die(ctx, d)
	}
	r := result{
		No: d.Value.No, Worker: uint32(w.ID), Attempt: uint32(d.Attempt),
		Counts: count(w.Dir, d.Value.Path),
	}
	if err := w.results.Send(ctx, r); err != nil {
		return err
	}
	if order == KillBetween {
		return w.die(ctx, d)
	}
	return d.Done()
}

// die says what is held and waits, holding it, to be killed.
func (w *Worker) die(ctx context.Context, d handoff.Delivery[job]) error {
	h := holding{No: d.Value.No, Worker: uint32(w.ID), Attempt: uint32(d.Attempt)}
	if err := w.holding.Send(ctx, h); err != nil {
		return err
	}
	<-ctx.Done()
	return fmt.Errorf("nobody killed this worker while it held a value: %w", context.Cause(ctx))
}
