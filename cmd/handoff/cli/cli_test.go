package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/spf13/cobra"
)

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ line, says string }{
		{"nope", `unknown command "nope" for "handoff" (see handoff --help)`},
		{"dem", `did you mean demo? (see handoff --help)`},
		{"--nope", "unknown flag: --nope"},
		{"demo a b", "accepts at most 1 arg(s), received 2 (see handoff demo --help)"},
		{"demo --nope", "unknown flag: --nope (see handoff demo --help)"},
		{"demo --over avian", `--over "avian" is not one of: `},
		{"demo --workers 0", "--workers 0 is not between 1 and 256"},
		{"demo --workers 257", "--workers 257 is not between 1 and 256"},
		{"demo --workers many", `invalid argument "many" for "--workers" flag`},
		{"demo --seed -1", `invalid argument "-1" for "--seed" flag`},
		{"demo --kill-at noon", `--kill-at "noon" is not one of: take, between`},
		{"demo ''", "DIR is empty"},
		{"serve", "--unix, --pipe, --tcp, --tls, --quic, --http or --https is missing: say where to serve (see handoff serve --help)"},
		{"serve --unix ''", "--unix needs a path"},
		{"serve --unix", "flag needs an argument: --unix"},
		{"serve --unix /x y", `unknown command "y" for "handoff serve"`},
		{"bench x", `unknown command "x" for "handoff bench"`},
		{"bench --rounds 0", "--rounds 0 is not at least 1 (see handoff bench --help)"},
		{"bench --only (", "--only: error parsing regexp"},
		{"bench --only nothing.is.called.so", `--only "nothing.is.called.so" fits no shape (see handoff bench --help)`},
		{"completion bash y", `unknown command "y"`},
	} {
		args := strings.Fields(c.line)
		if args[len(args)-1] == "''" {
			args[len(args)-1] = ""
		}
		code, out, errs := run(t.Context(), args...)
		if code != codeUsage || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: code %d, out %q, err %q, want %q", c.line, code, out, errs, c.says)
		}
		checkOneLine(t, errs)
	}
}

func checkOneLine(t *testing.T, errs string) {
	t.Helper()
	if strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "handoff: ") || !strings.HasSuffix(errs, "\n") {
		t.Errorf("not a one-line message: %q", errs)
	}
}

// Help is what was asked for in one case, and part of the complaint in the other.
func TestHelp(t *testing.T) {
	code, out, errs := run(t.Context(), "--help")
	if code != codeDone || !strings.Contains(out, "serve") || errs != "" {
		t.Errorf("--help: code %d, out %q, err %q", code, out, errs)
	}
	if strings.Contains(out, "demo-worker") {
		t.Errorf("the workers' command is not for people:\n%s", out)
	}
	code, out, errs = run(t.Context())
	if code != codeUsage || out != "" || !strings.Contains(errs, "serve") {
		t.Errorf("no command: code %d, out %q, err %q", code, out, errs)
	}
	for _, name := range []string{"demo", "serve", "send", "recv", "select", "close", "ls", "info", "pipe", "bench", "cert"} {
		code, out, errs := run(t.Context(), name, "--help")
		if code != codeDone || !strings.Contains(out, "Examples:") || errs != "" {
			t.Errorf("%s --help: code %d, out %q, err %q", name, code, out, errs)
		}
		for line := range strings.Lines(out) {
			if len(line) > 101 {
				t.Errorf("%s --help is wider than 100 columns: %s", name, line)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	op := func(err error) error { return runError{&handoff.OpError{Op: "send", Channel: "c", Err: err}} }
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), errors.New("cobra's own"), codeUsage},
		{t.Context(), usage("ours"), codeUsage},
		{t.Context(), runError{errors.New("any")}, codeError},
		{t.Context(), op(handoff.ErrUnreachable), codeError},
		{t.Context(), op(handoff.ErrTimeout), codeTimeout},
		{t.Context(), op(context.DeadlineExceeded), codeTimeout},
		{t.Context(), op(handoff.ErrFull), codeFull},
		{t.Context(), op(handoff.ErrClosed), codeClosed},
		{t.Context(), runError{fmt.Errorf("while: %w", handoff.ErrClosed)}, codeClosed},
		{ended, op(handoff.ErrClosed), codeInterrupted},
		{ended, op(context.Canceled), codeInterrupted},
	} {
		if got := exitCode(c.ctx, c.err); got != c.want {
			t.Errorf("%v: code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	err := errors.Join(errors.New("handoff: send c: closed"), errors.New("hub: gone\r\nfor good: handoff: x"))
	if got, want := oneLine(err), "send c: closed; gone; for good: x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Every command has to say what it is, and its examples may name only flags
// there are.
func TestEveryCommandIsDescribed(t *testing.T) {
	for _, cmd := range newRoot(Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}).Commands() {
		if cmd.Hidden {
			continue
		}
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s lacks a description or an example", cmd.Name())
		}
		checkExamples(t, cmd)
	}
}

func checkExamples(t *testing.T, cmd *cobra.Command) {
	for _, word := range strings.Fields(cmd.Example) {
		name, isFlag := strings.CutPrefix(word, "--")
		if isFlag && cmd.Flags().Lookup(name) == nil {
			t.Errorf("the examples of %s use --%s, which it does not have", cmd.Name(), name)
		}
	}
}
