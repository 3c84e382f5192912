package cli

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/shell"
)

// envMost is the longest value that is also given in the environment, where
// systems allow one string so many bytes.
const envMost = 100 << 10

// executing runs a command for each value.
type executing struct {
	how          recvFlags
	kind         kind
	form         frame.Form
	s            Streams
	runs, failed int
}

// settle runs the command for each of ds.
func (e *executing) settle(ctx context.Context, ds []delivery) error {
	for i, d := range ds {
		if err := e.one(ctx, d); err != nil {
			giveBack(ds[i+1:], err)
			return err
		}
	}
	return nil
}

// one runs the command for d and confirms it, if all is well.
func (e *executing) one(ctx context.Context, d delivery) error {
	e.runs++
	v, err := e.kind.shown(d.Value, e.form)
	if err != nil {
		return fmt.Errorf("value %d: %w", e.runs, giveBack([]delivery{d}, err))
	}
	env := []string{"HANDOFF_ATTEMPT=" + strconv.Itoa(d.Attempt)}
	if len(v) <= envMost && bytes.IndexByte(v, 0) < 0 {
		env = append(env, "HANDOFF_VALUE="+string(v))
	}
	ending := shell.Run(ctx, shell.Command{
		Text: e.how.exec, Env: env,
		In: bytes.NewReader(v), Out: e.s.Out, Err: e.s.Err,
		Together: isTerminal(e.s.In) || isTerminal(e.s.Out),
	})
	switch {
	case ending.OK():
		if err := d.Done(); err != nil {
			return fmt.Errorf("value %d: the command has ended well, and the value may come again: %w", e.runs, err)
		}
		return nil
	case ctx.Err() != nil:
		return giveBack([]delivery{d}, context.Cause(ctx))
	case ending.Err != nil:
		return fmt.Errorf("value %d: %w", e.runs, giveBack([]delivery{d}, ending.Err))
	}
	e.failed++
	return e.refuse(d, ending)
}

// refuse gives back or rejects the value of a command that failed.
func (e *executing) refuse(d delivery, ending shell.Ending) error {
	now, err := "goes back", error(nil)
	if e.how.reject {
		now = "is rejected"
		err = d.Reject("the command of handoff recv: " + ending.String())
	} else {
		err = d.ReturnAfter(e.how.after)
	}
	if err != nil {
		return fmt.Errorf("value %d, whose command failed (%v), cannot be settled: %w", e.runs, ending, err)
	}
	fmt.Fprintf(e.s.Err, "handoff: value %d, attempt %d: %v, the value %s\n", e.runs, d.Attempt, ending, now)
	return nil
}

// failure is the error of runs that failed.
func (e *executing) failure() error {
	if e.failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d commands failed", e.failed, e.runs)
}
