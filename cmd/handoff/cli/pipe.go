package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
	"github.com/handoff-go/handoff/cmd/handoff/internal/line"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
	"github.com/spf13/cobra"
)

// replicasMost is how many replicas a stage may have.
const replicasMost = 256

func newPipe(s Streams) *cobra.Command {
	var how pipeFlags
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "pipe STAGE...",
		Short: "Join commands by channels, several of a kind where that helps",
		Long: `Join commands by channels, several of a kind where that helps.

A STAGE is a command for sh, and N: before it runs N replicas of it. Lines go from
the standard output of a stage to the standard input of the next, each line to one
replica; the first stage reads and the last writes what handoff does. The channels
have --slots each, so a slow stage slows those before it down. The order of lines is
kept within a replica, and altogether where stages have one replica. When all
replicas of a stage have ended, the next stage sees the end of its input, and the
stage before it is told by SIGPIPE, as in a shell. $HANDOFF_STAGE and
$HANDOFF_REPLICA are numbers from 1.

What is promised: an ordinary command gives no receipt for a line. When a replica
fails, the others go on, its exit code is told, and every line that it was given is
written to --failed FILE: it may have done those lines or not. For a receipt, have
the stages that are written with a number run anew for every few lines:

  --batch N   gives N lines to a run, as its input. They are confirmed together
              when it exits with 0, and its output is held until then. Otherwise
              the output is dropped, and the lines go to another run.
  --exec      the same with one line, which is also $1.

A line is given to at most --attempts runs (each is told by $HANDOFF_ATTEMPT, of
its first line), and is then written to --failed FILE. A line may so be worked on
more than once, but its output passes on once.

Exit codes: 0 all replicas exited with 0, or by SIGPIPE because nobody read what
they wrote; else 1, with a line for each that did not.`,
		Example: `  handoff pipe 'find . -name "*.go"' '4: xargs -n1 wc -l' 'sort -n'
  handoff pipe --batch 20 --failed left.txt 'find . -name "*.go"' '4: xargs gofmt -l'
  handoff pipe --exec --attempts 5 'cat urls.txt' '8: curl -fsS -o /dev/null -w "%{url}\n" "$1"'
  handoff pipe --null 'find . -type f -print0' '2: xargs -0 -n1 printf "%s\0"' | tr '\0' '\n'`,
		Args: cobra.MinimumNArgs(1),
		RunE: runs(func(ctx context.Context, args []string) error {
			c, err := how.config(args, cmd.Flags().Changed("batch"))
			if err != nil {
				return err
			}
			return pipe(ctx, c, how.failed, s)
		}),
	}
	f := cmd.Flags()
	f.IntVar(&how.slots, "slots", 16, "have `N` slots in each channel; a batch has what it needs")
	f.IntVar(&how.batch, "batch", 0, "run numbered stages anew for every `N` lines, confirmed together")
	f.BoolVar(&how.exec, "exec", false, "run numbered stages anew for every line, which is also $1")
	f.IntVar(&how.attempts, "attempts", 3, "give a line to at most `N` runs")
	f.StringVar(&how.failed, "failed", "", "write the lines of what failed to `FILE`")
	f.IntVar(&how.maxLine, "max-line", 1<<20, "the longest line there may be, in `BYTES`")
	f.BoolVarP(&how.null, "null", "0", false, "lines end with a NUL")
	return cmd
}

type pipeFlags struct {
	slots, batch, attempts, maxLine int
	exec, null                      bool
	failed                          string
}

var (
	numbered = regexp.MustCompile(`^\s*(\d+)\s*:(.*)$`)
	ranged   = regexp.MustCompile(`^\s*\d+\s*-\s*\d+\s*:`)
)

// config is what the command line says.
func (how *pipeFlags) config(args []string, batched bool) (c line.Config, err error) {
	switch {
	case how.slots < 0 || how.slots > 1<<20:
		return c, usage("--slots %d is not between 0 and 1048576", how.slots)
	case batched && how.batch < 1 || how.batch > 1<<16:
		return c, usage("--batch %d is not between 1 and 65536", how.batch)
	case how.attempts < 1:
		return c, usage("--attempts %d: it needs one", how.attempts)
	case how.maxLine < 1 || how.maxLine > mostBytes:
		return c, usage("--max-line %d is not between 1 and %d", how.maxLine, mostBytes)
	case how.exec && how.batch > 0:
		return c, usage("--exec gives one line to a run, --batch several")
	case how.exec && how.null:
		return c, usage("--exec gives a line as $1 and as a line, so --null does not go with it")
	}
	c = line.Config{Slots: how.slots, MaxLine: how.maxLine, Attempts: how.attempts, List: how.failed != ""}
	if how.null {
		c.Form = frame.Null
	}
	crews := 0
	for i, a := range args {
		stage, crew, err := how.stage(a)
		if err != nil {
			return c, usage("stage %d: %w", i+1, err)
		}
		if crew {
			crews++
		}
		c.Stages = append(c.Stages, stage)
	}
	if crews == 0 && (how.batch > 0 || how.exec) {
		return c, usage("--batch and --exec are for stages with a number, like '4: wc -l', and there is none")
	}
	return c, nil
}

// stage reads one argument. crew says that it was written with a number.
func (how *pipeFlags) stage(arg string) (stage line.Stage, crew bool, err error) {
	stage = line.Stage{Text: strings.TrimSpace(arg), Replicas: 1}
	if ranged.MatchString(arg) {
		return stage, false, errors.New("a number of replicas that follows the load is not there yet")
	}
	if m := numbered.FindStringSubmatch(arg); m != nil {
		crew = true
		stage.Text = strings.TrimSpace(m[2])
		if stage.Replicas, err = strconv.Atoi(m[1]); err != nil || stage.Replicas < 1 || stage.Replicas > replicasMost {
			return stage, true, fmt.Errorf("%s replicas are not between 1 and %d", m[1], replicasMost)
		}
		stage.Batch = how.batch
		if how.exec {
			stage.Batch, stage.Exec = 1, true
		}
	}
	if stage.Text == "" {
		return stage, crew, errors.New("there is no command")
	}
	return stage, crew, nil
}

func pipe(ctx context.Context, c line.Config, failed string, s Streams) (err error) {
	bar := screen.New(nil, nil)
	if !isTerminal(s.Out) {
		bar = screen.New(nil, s.Err)
	}
	c.In, c.Out, c.Err = s.In, s.Out, bar.Beside(s.Err)
	c.Together = isTerminal(s.In) || isTerminal(s.Out)
	c.Passed = passed(bar, len(c.Stages))
	list := &failedList{name: failed, out: io.Discard, form: c.Form}
	if failed != "" {
		f, err := os.Create(failed)
		if err != nil {
			return err
		}
		defer func() {
			if bad := f.Close(); err == nil {
				err = bad
			}
		}()
		list.out = f
	}
	err = line.Run(ctx, c, func(f line.Failure) {
		bar.Clear()
		list.add(f, s.Err)
	})
	bar.Clear()
	if errors.Is(err, syscall.EPIPE) && !confirms(c.Stages) {
		err = nil // nobody reads what we write any more, as for any of the stages
	}
	return errors.Join(err, list.failure())
}

// confirms reports whether a stage promises more than to pass lines on.
func confirms(stages []line.Stage) bool {
	for _, s := range stages {
		if s.Batch > 0 {
			return true
		}
	}
	return false
}

// passed shows how many lines have passed between the stages.
func passed(bar *screen.Screen, stages int) func(int) {
	counts := make([]atomic.Int64, stages+1)
	return func(stage int) {
		counts[stage].Add(1)
		first := 0
		for counts[first].Load() == 0 {
			first++
		}
		bar.Count(int(counts[first].Load()), func() string {
			text := "lines " + between(first, stages)
			for i := first + 1; i <= stages; i++ {
				if n := counts[i].Load(); n > 0 {
					text += fmt.Sprintf(", %d %s", n, between(i, stages))
				}
			}
			return text
		})
	}
}

func between(stage, stages int) string {
	if stage == stages {
		return "out"
	}
	return fmt.Sprintf("to stage %d", stage+1)
}

// failedList writes the lines of what failed, and says what it was.
type failedList struct {
	name     string // of the file, "" for none
	out      io.Writer
	form     frame.Form
	lines, n int
	err      error
}

// add writes one line about f to errs, and its lines to the file.
func (l *failedList) add(f line.Failure, errs io.Writer) {
	l.n++
	if f.Stage == 0 {
		fmt.Fprintf(errs, "handoff: the input, %s\n", oneLine(f.Why))
		return
	}
	fmt.Fprintf(errs, "handoff: stage %d (%s), replica %d: %s\n", f.Stage, shortly(f.Text), f.Replica, oneLine(l.story(f)))
}

// story is what happened to f and to its lines.
func (l *failedList) story(f line.Failure) error {
	what := f.Ending.String()
	if f.Why != nil {
		what = f.Why.Error()
	}
	if f.Runs > 0 {
		what = fmt.Sprintf("%s failed for good, the last by %s", count(f.Runs, "run"), what)
	}
	switch {
	case f.Given == 0:
		return errors.New(what + "; it was given no line")
	case l.name == "":
		return fmt.Errorf("%s; it was given %s, which --failed FILE would list", what, count(f.Given, "line"))
	}
	if _, err := io.Copy(l.out, f.Lines); err != nil && l.err == nil {
		l.err = err
	}
	from := l.lines + 1
	l.lines += f.Given
	where := fmt.Sprintf("lines %d to %d", from, l.lines)
	if f.Given == 1 {
		where = fmt.Sprintf("line %d", from)
	}
	return fmt.Errorf("%s; it was given %s of %s", what, where, l.name)
}

// failure is the error of the whole.
func (l *failedList) failure() error {
	switch {
	case l.err != nil:
		return fmt.Errorf("the list of failed lines is not whole: %w", l.err)
	case l.n > 0:
		return errTold
	}
	return nil
}

// errTold is an error of which everything was said.
var errTold = errors.New("failed")

// shortly is a command in a message.
func shortly(command string) string {
	command = strings.Join(strings.Fields(command), " ")
	if r := []rune(command); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return command
}
