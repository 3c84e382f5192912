// Package cli is the command handoff: every command is a function of arguments,
// streams and a context, and returns an exit code.
package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Streams are what a command reads from and writes to. What was asked for goes
// to Out; progress and errors go to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run runs the command args name, without the program's own name, and returns
// the exit code. When ctx ends the command ends, cleanly, as interrupted.
func Run(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return codeDone
	}
	code := exitCode(ctx, err)
	if text := oneLine(err); code == codeUsage {
		fmt.Fprintf(s.Err, "handoff: %s (see %s --help)\n", text, ran.CommandPath())
	} else if code != codeInterrupted {
		fmt.Fprintf(s.Err, "handoff: %s\n", text)
	}
	return code
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "handoff",
		Short: "Go's channel, carried past the edge of the process",
		Long: `Go's channel, carried past the edge of the process.

Exit codes: 0 done, 1 error, 2 usage, 3 timed out or empty, 4 full, 5 closed,
130 interrupted.`,
		SilenceErrors: true, // Run writes them, as one line
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("there is no command %q", args[0])
			}
			return usage("a command is missing")
		},
		Args: cobra.ArbitraryArgs, // so that RunE can say what is wrong
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	root.AddCommand(newDemo(s), newServe(s), newWorker(s))
	return root
}

// oneLine is the text of err without line breaks.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
