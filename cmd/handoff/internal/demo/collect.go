package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/codec"
)

// A demo in which nothing comes for stillMost looks of stillFor each has failed.
// It takes several in a row, for one may be over at once when the whole machine
// or this process was stopped meanwhile.
const (
	stillFor  = 10 * time.Second
	stillMost = 3
)

// collect takes results until nobody can send any more.
func (d *demo) collect(ctx context.Context) error {
	encoding, err := codec.For[result](codec.Options{})
	if err != nil {
		return err
	}
	buf := make([]result, batch)
	var bytes []byte
	for start := time.Now(); ; {
		n, err := d.recvResults(ctx, buf)
		if errors.Is(err, handoff.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range buf[:n] {
			d.tally.enter(buf[i])
			d.tellAgain(buf[i])
			if bytes, err = encoding.Append(bytes[:0], &buf[i]); err != nil {
				return err
			}
			d.moved.resultBytes += int64(len(bytes))
		}
		if err := d.cutter.reached(ctx, d.tally.counted, len(d.list.paths)); err != nil {
			return err
		}
		d.progress("across processes", d.tally.counted, start)
	}
}

// recvResults is RecvInto that tells a demo that hangs from one that is slow.
func (d *demo) recvResults(ctx context.Context, buf []result) (n int, err error) {
	for range stillMost {
		within, cancel := context.WithTimeout(ctx, stillFor)
		n, err = d.results.RecvInto(within, buf)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return n, err
		}
	}
	return 0, fmt.Errorf("%w: no result for %v, after %s of %s files",
		handoff.ErrTimeout, stillMost*stillFor, number(d.tally.counted), number(len(d.list.paths)))
}

// tellAgain says that a file was handed out again, and whether its result had
// come before.
func (d *demo) tellAgain(r result) {
	if r.Attempt < 2 || int(r.No) >= len(d.list.paths) {
		return
	}
	what := "nothing is lost"
	if d.tally.files[r.No].came > 1 {
		what = "its result came twice and is counted once"
	}
	d.screen.Say("worker %d got %s, attempt %d: %s", r.Worker, shown(d.list.paths[r.No]), r.Attempt, what)
}

func (d *demo) progress(label string, done int, since time.Time) {
	rate := float64(done) / max(time.Since(since).Seconds(), 1e-9)
	d.screen.Progress(label, done, len(d.list.paths),
		fmt.Sprintf("%s of %s files, %s/s", number(done), number(len(d.list.paths)), number(int(rate))))
}
