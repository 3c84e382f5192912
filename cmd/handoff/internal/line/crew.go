package line

import (
	"bytes"
	"io"
	"strconv"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/shell"
)

// crew runs the command for a batch of lines, again and again, until there are
// no more.
func (w *replica) crew() {
	for {
		ds := w.collect()
		if len(ds) == 0 || !w.once(ds) {
			return
		}
	}
}

// collect takes as many lines as a run is to have, fewer when nothing more will
// come; none at the end. It must not wait for the end by asking the channel,
// which is not over while somebody, perhaps this replica, holds a line.
func (w *replica) collect() (ds []delivery) {
	d, err := w.in.ch.Take(w.ctx)
	if err != nil {
		return nil
	}
	ds = append(ds, d)
	for more := true; more && len(ds) < w.stage.Batch; {
		_, err := handoff.SelectFirst(w.ctx,
			w.in.ch.OnTake(func(d delivery, ok bool) {
				if more = ok; ok {
					ds = append(ds, d)
				}
			}),
			handoff.OnNative(w.in.over, func(struct{}, bool) { more = false }))
		if err != nil {
			returnAll(ds)
			return nil
		}
	}
	return ds
}

// once runs the command for ds and settles them. false: it is time to end.
func (w *replica) once(ds []delivery) (goOn bool) {
	var out spool
	defer out.close()
	c := w.command()
	c.In, c.Out = bytes.NewReader(w.lines(ds)), &out
	c.Env = append(c.Env, "HANDOFF_ATTEMPT="+strconv.Itoa(ds[0].Attempt))
	if w.stage.Exec {
		c.Args = []string{string(ds[0].Value)}
	}
	ending := shell.Run(w.ctx, c)
	var why error
	if ending.OK() {
		why = out.rewind()
	}
	if ending.OK() && why == nil {
		why = w.check(&out)
	}
	switch {
	case w.ctx.Err() != nil || w.out.gone.Err() != nil:
		returnAll(ds)
		return false
	case !ending.OK() || why != nil:
		w.again(ds, ending, why)
		return true
	}
	if !w.pass(&out) {
		returnAll(ds)
		return false
	}
	for _, d := range ds {
		d.Done()
	}
	return true
}

// check reads out to its end and back: what is passed on must be whole.
func (w *replica) check(out *spool) error {
	r := frame.NewReader(out, w.Form, w.MaxLine)
	for {
		if _, err := r.Next(); err == io.EOF {
			return out.rewind()
		} else if err != nil {
			return err
		}
	}
}

// pass passes on what a run has written. false: nobody wants it.
func (w *replica) pass(out *spool) bool {
	r := frame.NewReader(out, w.Form, w.MaxLine)
	for {
		v, err := r.Next()
		if err != nil {
			return true
		}
		if w.out.send(v) != nil {
			return false
		}
	}
}

// again gives the lines of a run that failed to another one, but those that were
// tried often enough.
func (w *replica) again(ds []delivery, ending shell.Ending, why error) {
	given := w.count
	for _, d := range ds {
		if d.Attempt < w.Attempts {
			d.Return()
			continue
		}
		w.give(d.Value)
		d.Done()
	}
	if w.count == given {
		return
	}
	if w.failure == nil {
		w.failure = &Failure{}
	}
	w.failure.Ending, w.failure.Why = ending, why
	w.failure.Runs++
}

func returnAll(ds []delivery) {
	for _, d := range ds {
		d.Return()
	}
}
