// Package cli is the command handoff: every command is a function of arguments,
// streams and a context, and returns an exit code.
package cli

import (
	"context"
	"errors"
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
	if len(args) == 0 {
		root.SetOut(s.Err)
		root.Help()
		return codeUsage
	}
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return codeDone
	}
	code := exitCode(ctx, err)
	switch code {
	case codeInterrupted:
		if e, ok := errors.AsType[*stayedError](err); ok && e.kept > 0 {
			fmt.Fprintf(s.Err, "handoff: interrupted; %s\n", e.account())
		}
	case codeUsage:
		fmt.Fprintf(s.Err, "handoff: %s%s (see %s --help)\n", oneLine(err), meant(root, ran, args), ran.CommandPath())
	default:
		if !errors.Is(err, errTold) {
			fmt.Fprintf(s.Err, "handoff: %s\n", oneLine(err))
		}
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
		SilenceErrors:      true, // Run writes them, as one line
		SilenceUsage:       true,
		DisableSuggestions: true, // Run makes them, on the same line
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.AddCommand(newDemo(s), newServe(s), newSend(s), newRecv(s), newSelect(s), newClose(s), newLs(s), newInfo(s),
		newPipe(s), newBench(s), newCert(s), newWorker(s))
	return root
}

// meant guesses at a command that is not there.
func meant(root, ran *cobra.Command, args []string) string {
	if ran != root {
		return ""
	}
	guesses := root.SuggestionsFor(args[0])
	if len(guesses) == 0 {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", strings.Join(guesses, " or "))
}

// oneLine is the text of err without line breaks, and without the name that the
// line begins with anyway.
func oneLine(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		line = strings.TrimPrefix(strings.TrimSpace(line), "handoff: ")
		line = strings.TrimPrefix(line, "hub: ")
		lines[i] = strings.ReplaceAll(line, ": handoff: ", ": ")
	}
	return strings.Join(lines, "; ")
}
