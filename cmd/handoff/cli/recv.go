package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
	"github.com/spf13/cobra"
)

func newRecv(s Streams) *cobra.Command {
	var values valueFlags
	var how recvFlags
	cmd := &cobra.Command{
		Use:   "recv URL",
		Short: "Receive lines from a channel, or run a command for each",
		Long: `Receive lines from a channel until it is closed and empty.

A value is taken, written, and confirmed when the write has ended; if nobody
reads any more, or on Ctrl-C, the value in hand goes back to its place. One that
could not be told apart when read again (a text with a line feed in it) is not
written: it goes back, and recv ends.

With --exec a shell runs the command for each value, which is its standard input
(as it is, with nothing added) and $HANDOFF_VALUE (left out above 100 KiB, or with
a NUL in it). $HANDOFF_ATTEMPT is 1 the first time. When the command exits with
0 the value is confirmed; otherwise it goes back, for this or another receiver,
after --retry-after, or is rejected with --reject. How often a value may be handed
out is the channel's maxattempts=.

A dead letter is JSON: an object with value, reason, attempts and from.

` + fmt.Sprintf(valueHelp, "nothing between the values") + `

Exit codes: 0 closed, or -n values came; 1 also if a command failed; 3 empty
(--try) or after --timeout; 5 closed before -n values came, or with --try before
any did.`,
		Example: `  handoff recv 'unix:/tmp/shop.sock?chan=orders'
  handoff recv -n 1 --timeout 5s 'unix:/tmp/shop.sock?chan=orders'
  handoff recv --try 'unix:/tmp/shop.sock?chan=orders' || echo "nothing there"
  handoff recv --take --exec 'gzip -k "$HANDOFF_VALUE"' 'unix:/tmp/shop.sock?chan=files'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeURL(1),
		RunE: runs(func(ctx context.Context, args []string) error {
			form, err := values.form()
			if err != nil {
				return err
			}
			if err := how.check(); err != nil {
				return err
			}
			from, err := parseTarget(args[0])
			if err != nil {
				return err
			}
			return recv(ctx, from, form, how, s)
		}),
	}
	f := cmd.Flags()
	values.add(f)
	f.IntVarP(&how.most, "count", "n", 0, "end after `N` values; 0 is until the channel is closed")
	f.BoolVar(&how.try, "try", false, "never wait: take what is there and end")
	f.DurationVar(&how.timeout, "timeout", 0, "end with exit code 3 when no value came for `TIME`")
	f.BoolVar(&how.take, "take", false, "confirm when --exec has ended well (it is always so)")
	f.StringVar(&how.exec, "exec", "", "run `COMMAND` for each value")
	f.BoolVar(&how.reject, "reject", false, "reject the value of a command that failed")
	f.DurationVar(&how.after, "retry-after", time.Second, "give a value whose command failed out again after `TIME`")
	return cmd
}

type recvFlags struct {
	most              int
	try, take, reject bool
	timeout, after    time.Duration
	exec              string
}

func (how recvFlags) check() error {
	switch {
	case how.most < 0:
		return usage("--count %d is negative", how.most)
	case how.after < 0:
		return usage("--retry-after %v is negative", how.after)
	case how.exec == "" && (how.take || how.reject):
		return usage("--take and --reject go with --exec")
	}
	return checkWaiting(how.try, how.timeout)
}

// receiving is a recv command under way.
type receiving struct {
	how  recvFlags
	from handoff.Receiver[[]byte]
	came int // values taken
	hold int // how many values to hold at once
	bar  *screen.Screen
	// settle gives values to where they are to go, and settles them.
	settle func(context.Context, []delivery) error
}

// delivery is a value held.
type delivery = handoff.Delivery[[]byte]

func recv(ctx context.Context, from target, form frame.Form, how recvFlags, s Streams) (err error) {
	end, k, err := open(ctx, from, form, func(k kind) error { return mayRecv(k, form, how.exec != "") }, handoff.OpenReceiver[[]byte])
	if err != nil {
		return err
	}
	w := &receiving{how: how, from: end, hold: 1, bar: screen.New(nil, nil)}
	defer func() {
		w.bar.Clear()
		if bad := end.Detach(); err == nil {
			err = bad
		}
	}()
	if how.exec != "" {
		e := &executing{how: how, kind: k, form: form, s: s}
		w.settle = e.settle
		return errors.Join(w.all(ctx), e.failure())
	}
	if !isTerminal(s.Out) {
		w.bar = screen.New(nil, s.Err)
	}
	if k.json() && form == frame.Lines {
		form = frame.JSON // one text, one line
	}
	p := &printing{kind: k, form: form, out: s.Out}
	w.settle = p.settle
	return w.all(ctx)
}

// mayRecv says why values of kind k cannot be shown in a form.
func mayRecv(k kind, form frame.Form, exec bool) error {
	_, dead := k.dead()
	switch {
	case k.raw(), k.json(), dead, exec, form == frame.Raw, form == frame.Prefixed:
		return nil
	}
	return fmt.Errorf("it carries %v (%s): only --raw and --length-prefixed show it, as its bytes", k, string(k))
}

// holdMost is how many values recv may hold at once, and holdTime how long: one
// whose values are written slowly holds few, for they could go to others.
const (
	holdMost = 64
	holdTime = 10 * time.Millisecond
)

// all takes values until the channel, or what was asked for, ends.
func (w *receiving) all(ctx context.Context) error {
	for w.how.most == 0 || w.came < w.how.most {
		ds, err := w.next(ctx)
		switch {
		case errors.Is(err, handoff.ErrClosed) && w.enough():
			return nil
		case err != nil:
			return received(err)
		case len(ds) == 0 && w.came > 0:
			return nil
		case len(ds) == 0:
			return &handoff.OpError{Op: "recv", Channel: w.from.Name(), Err: errEmpty}
		}
		w.came += len(ds)
		start := time.Now()
		if err := w.settle(ctx, ds); err != nil {
			return err
		}
		w.hold = 1
		if w.how.exec == "" && time.Since(start) < holdTime {
			w.hold = min(2*len(ds), holdMost)
		}
		w.bar.Count(w.came, func() string { return "values received" })
	}
	return nil
}

// received is err for who has typed recv and knows of no take.
func received(err error) error {
	if e, ok := err.(*handoff.OpError); ok && e.Op == "take" {
		return &handoff.OpError{Op: "recv", Channel: e.Channel, Err: e.Err}
	}
	return err
}

// enough reports whether a channel that is closed now has given what was asked
// for.
func (w *receiving) enough() bool {
	if w.how.try {
		return w.came > 0
	}
	return w.how.most == 0
}

// errEmpty is the answer to --try.
var errEmpty = fmt.Errorf("%w: there is nothing to receive now", handoff.ErrTimeout)

// next takes values, with --try perhaps none.
func (w *receiving) next(ctx context.Context) ([]delivery, error) {
	if w.how.try {
		return w.now(ctx)
	}
	within := ctx
	if w.how.timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeoutCause(ctx, w.how.timeout, handoff.ErrTimeout)
		defer cancel()
	}
	ds := make([]delivery, w.hold)
	if w.how.most > 0 {
		ds = ds[:min(w.hold, w.how.most-w.came)]
	}
	n, err := w.from.TakeInto(within, ds)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		why := fmt.Errorf("%w: nothing came within %v", handoff.ErrTimeout, w.how.timeout)
		err = &handoff.OpError{Op: "recv", Channel: w.from.Name(), Err: why}
	}
	if err != nil {
		for _, d := range ds[:n] { // beside one that could not be read
			d.Return()
		}
		return nil, err
	}
	return ds[:n], nil
}

// now takes a value if one is there.
func (w *receiving) now(ctx context.Context) (ds []delivery, err error) {
	open := true
	_, err = handoff.Select(ctx,
		w.from.OnTake(func(d delivery, ok bool) {
			if open = ok; ok {
				ds = append(ds, d)
			}
		}),
		handoff.Default(nil))
	if err == nil && !open {
		err = &handoff.OpError{Op: "recv", Channel: w.from.Name(), Err: handoff.ErrClosed}
	}
	return ds, err
}
