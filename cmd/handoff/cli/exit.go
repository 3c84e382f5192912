package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/handoff-go/handoff"
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

// usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// argsUsage turns what a check of cobra finds into a usage error.
func argsUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("%v", err)
		}
		return nil
	}
}

// exitCode is the code for err, which is not nil. That the command was
// interrupted explains whatever else went wrong.
func exitCode(ctx context.Context, err error) int {
	_, misused := errors.AsType[*usageError](err)
	switch {
	case misused:
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
