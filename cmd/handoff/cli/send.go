package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
	"github.com/spf13/cobra"
)

// aheadMost is how many values send may have read from its input before the one
// that it waits to hand over.
const aheadMost = 64

func newSend(s Streams) *cobra.Command {
	var values valueFlags
	var how sendFlags
	cmd := &cobra.Command{
		Use:   "send URL [VALUE...]",
		Short: "Send lines to a channel",
		Long: `Send lines to a channel: each VALUE, or what comes from standard input.

A value has left when it has a slot of the channel or a receiver confirmed it;
send waits until then, and reads at most ` + fmt.Sprint(aheadMost) + ` values (and 16 KiB) ahead. At the end of
the input it detaches, and with --close it closes the channel, for everyone.

If it ends before its input does, the message says how many values were sent and
which did not leave. A value in doubt (the home was lost, or the sender
interrupted, while a receiver held it) may or may not arrive.

` + fmt.Sprintf(valueHelp, "the whole input is one value") + `
A channel that is there decides what its values are; one that is made carries
text, with --json JSON, with --raw or --length-prefixed bytes.

Exit codes: 3 after --timeout, 4 full or nobody there (--try), 5 closed.`,
		Example: `  handoff send 'unix:/tmp/shop.sock?chan=orders&slots=4' apples pears
  find . -name '*.go' | handoff send --close 'unix:/tmp/shop.sock?chan=files'
  handoff send --try --json 'unix:/tmp/shop.sock?chan=jobs' '{"id": 7}' || echo "nobody there"
  handoff send --raw --timeout 5s 'unix:/tmp/shop.sock?chan=pictures' <a.png`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeURL(1),
		RunE: runs(func(ctx context.Context, args []string) error {
			form, err := values.form()
			if err != nil {
				return err
			}
			if err := how.check(); err != nil {
				return err
			}
			to, err := parseTarget(args[0])
			if err != nil {
				return err
			}
			return send(ctx, to, args[1:], form, how, s)
		}),
	}
	f := cmd.Flags()
	values.add(f)
	f.BoolVar(&how.close, "close", false, "close the channel at the end of the input")
	f.BoolVar(&how.try, "try", false, "never wait: exit code 4 at the first value that cannot leave now")
	f.DurationVar(&how.timeout, "timeout", 0, "end with exit code 3 when a value has waited for `TIME`")
	return cmd
}

type sendFlags struct {
	close, try bool
	timeout    time.Duration
}

func (how sendFlags) check() error { return checkWaiting(how.try, how.timeout) }

func checkWaiting(try bool, timeout time.Duration) error {
	switch {
	case timeout < 0:
		return usage("--timeout %v is negative", timeout)
	case try && timeout > 0:
		return usage("--try never waits, and --timeout says how long")
	}
	return nil
}

// sending is a send command under way.
type sending struct {
	how  sendFlags
	to   handoff.Sender[[]byte]
	unit string
	sent int // values that left
	bar  *screen.Screen
	// single has values cross one by one.
	single bool
}

func send(ctx context.Context, to target, args []string, form frame.Form, how sendFlags, s Streams) (err error) {
	var opts []handoff.Option
	if how.timeout > 0 {
		opts = append(opts, handoff.SendTimeout(how.timeout))
	}
	end, k, err := open(ctx, to, form, maySend, handoff.OpenSender[[]byte], opts...)
	if err != nil {
		return err
	}
	w := &sending{how: how, to: end, unit: "value", bar: screen.New(nil, nil)}
	defer func() {
		w.bar.Clear()
		if bad := end.Detach(); err == nil {
			err = bad
		}
	}()
	check := checker(k)
	if len(args) > 0 {
		err = w.arguments(ctx, args, check)
	} else {
		w.unit = form.Unit()
		if !isTerminal(s.In) {
			w.bar = screen.New(nil, s.Err)
		}
		err = w.stream(ctx, frame.NewReader(s.In, form, mostBytes), check)
	}
	if err == nil && how.close {
		err = end.Close()
	}
	return err
}

// maySend says why nothing can be sent to a channel of kind k.
func maySend(k kind) error {
	switch {
	case k.raw() || k == jsonKind:
		return nil
	case k.json():
		return fmt.Errorf("it carries %v: say so with schema= in the URL", k)
	}
	return fmt.Errorf("it carries %v (%s), which only a program with that type can make", k, string(k))
}

// checker returns the check of values for a channel of kind k.
func checker(k kind) func([]byte) error {
	if k.json() {
		return frame.CheckJSON
	}
	return func([]byte) error { return nil }
}

// arguments sends the values of the command line.
func (w *sending) arguments(ctx context.Context, args []string, check func([]byte) error) error {
	vs := make([][]byte, len(args))
	for i, a := range args {
		vs[i] = []byte(a)
		if err := check(vs[i]); err != nil {
			return usage("value %d: %w", i+1, err)
		}
	}
	return w.all(ctx, vs, func() int { return len(args) })
}

// stream sends what r reads. A goroutine reads, which ends with the input: it
// may be waiting for a terminal when the command ends, and the process with it.
func (w *sending) stream(ctx context.Context, r *frame.Reader, check func([]byte) error) error {
	in := newIntake(r, check)
	defer in.stop()
	for {
		batch, err := in.next(ctx, w.most())
		if bad := w.all(ctx, batch, in.read); bad != nil {
			return bad
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return w.stayed(err, in.read())
		}
	}
}

// most is how many values go in one crossing. Each waits on its own where that
// is bounded.
func (w *sending) most() int {
	if w.how.try || w.how.timeout > 0 || w.single {
		return 1
	}
	return aheadMost
}

// all sends vs; read says how many were read by now.
func (w *sending) all(ctx context.Context, vs [][]byte, read func() int) error {
	for len(vs) > 0 {
		n, err := w.some(ctx, vs[:min(w.most(), len(vs))])
		w.sent += n
		vs = vs[n:]
		if errors.Is(err, handoff.ErrTooLarge) && !w.single {
			w.single = true // a crossing of many is refused as a whole: find which it is
			continue
		}
		if err != nil {
			return w.stayed(err, read())
		}
		w.bar.Count(w.sent, func() string { return w.unit + "s sent" })
	}
	return nil
}

func (w *sending) some(ctx context.Context, vs [][]byte) (int, error) {
	if !w.how.try {
		return w.to.SendAll(ctx, vs)
	}
	ok, err := w.to.TrySend(vs[0])
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return 0, &handoff.OpError{Op: "send", Channel: w.to.Name(), Err: errNotNow}
	}
	return 1, nil
}

// errNotNow is the answer to --try.
var errNotNow = fmt.Errorf("%w: no slot is free and nobody is there to receive", handoff.ErrFull)

// stayed says what did not leave because of err, of read values.
func (w *sending) stayed(err error, read int) error {
	return &stayedError{err: err, unit: w.unit, sent: w.sent, kept: read - w.sent}
}

// stayedError is the end of a send before the end of its input.
type stayedError struct {
	err        error
	unit       string
	sent, kept int // kept were read and did not leave
}

func (e *stayedError) Unwrap() error { return e.err }

func (e *stayedError) Error() string { return e.err.Error() + "; " + e.account() }

// account tells where the values are.
func (e *stayedError) account() string {
	text := fmt.Sprintf("%s sent", count(e.sent, e.unit))
	if e.kept == 0 {
		return text
	}
	first := fmt.Sprintf("%s %d", e.unit, e.sent+1)
	kept := e.kept
	if errors.Is(e.err, handoff.ErrInDoubt) {
		text += ", " + first + " is in doubt"
		if kept--; kept > 0 {
			text += fmt.Sprintf(", %s read and not sent", count(kept, e.unit))
		}
		return text
	}
	text += ", " + first + " was not"
	switch {
	case kept == 2:
		text += ", nor was 1 more that was read"
	case kept > 2:
		text += fmt.Sprintf(", nor were %d more that were read", kept-1)
	}
	return text
}

func count(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
