package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
)

// printing writes values.
type printing struct {
	kind kind
	form frame.Form
	out  io.Writer
	n    int // values settled
}

// settle writes the values of ds and confirms those that are written. What cannot
// be written goes back.
func (p *printing) settle(ctx context.Context, ds []delivery) error {
	var text []byte
	var ends []int // of each value in text
	var why error
	for _, d := range ds {
		var v []byte
		if v, why = p.kind.shown(d.Value, p.form); why == nil {
			why = p.form.Check(v)
		}
		if why != nil {
			break
		}
		text = p.form.Append(text, v)
		ends = append(ends, len(text))
	}
	n, err := p.write(ctx, text)
	if err != nil {
		why = err
	}
	whole, found := slices.BinarySearch(ends, n)
	if found {
		whole++
	}
	if err := p.confirm(ds[:whole]); err != nil {
		giveBack(ds[whole:], nil)
		return err
	}
	if whole == len(ds) {
		return why
	}
	return fmt.Errorf("value %d: %w", p.n+1, giveBack(ds[whole:], why))
}

// confirm confirms what is written, all at once.
func (p *printing) confirm(ds []delivery) error {
	errs := make([]error, len(ds))
	var all sync.WaitGroup
	for i, d := range ds {
		all.Go(func() { errs[i] = d.Done() })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("value %d is written, and may come again: %w", p.n+i+1, err)
		}
	}
	p.n += len(ds)
	return nil
}

// write writes text on a goroutine: a reader that does not read must not keep
// values from going back when ctx ends. The process ends with ctx, and the
// goroutine with the process.
func (p *printing) write(ctx context.Context, text []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	written := make(chan result, 1)
	go func() {
		n, err := p.out.Write(text)
		written <- result{n, err}
	}()
	select {
	case r := <-written:
		return r.n, r.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// giveBack returns ds to their channel and says so, and whether that went well,
// beside the reason.
func giveBack(ds []delivery, why error) error {
	for _, d := range ds {
		if err := d.Return(); err != nil {
			return fmt.Errorf("%w; it could not be given back: %w", why, err)
		}
	}
	if len(ds) == 1 {
		return fmt.Errorf("%w; it went back to the channel", why)
	}
	return fmt.Errorf("%w; it and %d more went back to the channel", why, len(ds)-1)
}
