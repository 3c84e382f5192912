package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/spf13/cobra"
)

// The exit codes.
const (
	codeDone        = 0
	codeError       = 1
	codeUsage       = 2
	codeTimeout     = 3 // timed out, or nothing there
	codeFull        = 4
	codeClosed      = 5
	codeInterrupted = 130
)

// runError is an error of a command that began its work. Every other error is
// about the command line, whoever finds it: cobra has no name for its own.
type runError struct{ error }

func (e runError) Unwrap() error { return e.error }

// usageError is a command line that cobra takes and we do not.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// runs makes the RunE of a command of f.
func runs(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd.Context(), args)
		if _, misused := errors.AsType[usageError](err); err == nil || misused || fault.IsMalformed(err) {
			return err
		}
		return runError{err}
	}
}

// looking makes the RunE of a command of f, which asks the home of its first
// argument and waits for nothing else.
func looking(f func(ctx context.Context, t target) error) func(*cobra.Command, []string) error {
	return runs(func(ctx context.Context, args []string) error {
		t, err := parseTarget(args[0])
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, openWithin)
		defer cancel()
		return f(ctx, t)
	})
}

// exitCode is the code for err, which is not nil. That the command was
// interrupted explains whatever else went wrong.
func exitCode(ctx context.Context, err error) int {
	_, ran := errors.AsType[runError](err)
	switch {
	case !ran:
		return codeUsage
	case ctx.Err() != nil:
		return codeInterrupted
	case errors.Is(err, handoff.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return codeTimeout
	case errors.Is(err, handoff.ErrFull):
		return codeFull
	case errors.Is(err, handoff.ErrClosed):
		return codeClosed
	}
	return codeError
}
