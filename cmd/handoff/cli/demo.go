package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/handoff-go/handoff/cmd/handoff/internal/demo"
	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
	"github.com/spf13/cobra"
)

// workersMost keeps a slip of the finger from starting thousands of processes.
const workersMost = 256

// cutsMost is how often a link can be cut.
const cutsMost = 1000

func newDemo(s Streams) *cobra.Command {
	var c demo.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Have real files parsed by several processes, kill one, and lose nothing",
		Long: `Have real files parsed by several processes, kill one, and lose nothing.

This process walks DIR and sends the path of every Go file on a channel. Worker
processes take a path, parse the file, send what they counted on a second
channel, and then confirm the path. This process receives the results and counts
each file once. About half-way one worker is killed by SIGKILL while it holds a
path that it has taken and not confirmed: the path comes back to the channel, and
another worker gets it as attempt 2. A new worker takes the place of the dead.

At the end the same files are counted again in one process, and the two must
agree, file by file. With --cut the processes reach the channels over a line which
is cut so many times while results come, every connection on it at once: they
come back and go on where they were. Without DIR the files are the sources of the Go on this
machine.

Exit code 0 means: nothing lost, nothing counted twice, both agree. The pace
shown, in values/s, is that of the parsing; the channels can do more.`,
		Example: `  handoff demo
  handoff demo --workers 8 ~/src
  handoff demo --kill-at between    # after the result is sent: it comes twice
  handoff demo --over tcp --cut 5   # the link breaks five times
  handoff demo --json | jq .redelivered`,
		Args: cobra.MaximumNArgs(1),
		RunE: runs(func(ctx context.Context, args []string) error {
			if err := checkDemo(&c); err != nil {
				return err
			}
			if len(args) == 1 {
				if c.Dir = args[0]; c.Dir == "" {
					return usage("DIR is empty")
				}
			}
			return runDemo(ctx, c, asJSON, s)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&c.Over, "over", demo.Media()[0], "`MEDIUM` between the processes: "+strings.Join(demo.Media(), ", "))
	f.IntVar(&c.Workers, "workers", min(max(runtime.NumCPU(), 3), 16), "run `N` worker processes at once")
	f.Uint64Var(&c.Seed, "seed", 1, "`NUMBER` that chooses the path held by the worker that is killed")
	f.StringVar(&c.KillAt, "kill-at", demo.KillTake,
		"`WHEN` to kill: at take, or between result and confirmation")
	f.IntVar(&c.Cut, "cut", 0, "cut the link `N` times, with --over tcp")
	f.BoolVar(&asJSON, "json", false, "print one JSON object and nothing else")
	cmd.RegisterFlagCompletionFunc("over", completeOneOf(demo.Media()...))
	cmd.RegisterFlagCompletionFunc("kill-at", completeOneOf(demo.KillTake, demo.KillBetween))
	return cmd
}

func checkDemo(c *demo.Config) error {
	switch {
	case !slices.Contains(demo.Media(), c.Over):
		return usage("--over %q is not one of: %s", c.Over, strings.Join(demo.Media(), ", "))
	case c.Workers < 1 || c.Workers > workersMost:
		return usage("--workers %d is not between 1 and %d", c.Workers, workersMost)
	case c.Cut < 0 || c.Cut > cutsMost:
		return usage("--cut %d is not between 0 and %d", c.Cut, cutsMost)
	case c.Cut > 0 && c.Over != "tcp":
		return usage("--cut needs --over tcp: elsewhere a link breaks only when one side ends")
	case c.KillAt != demo.KillTake && c.KillAt != demo.KillBetween:
		return usage("--kill-at %q is not one of: %s, %s", c.KillAt, demo.KillTake, demo.KillBetween)
	}
	return nil
}

func runDemo(ctx context.Context, c demo.Config, asJSON bool, s Streams) (err error) {
	if c.Exe, err = os.Executable(); err != nil {
		return err
	}
	var lines io.Writer
	if !asJSON {
		lines = s.Out
	}
	report, err := demo.Run(ctx, c, screen.New(lines, s.Err))
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(s.Out).Encode(report)
	} else {
		err = report.WriteText(s.Out)
	}
	if err == nil && !report.OK {
		err = errors.New("the demo failed: " + report.Why)
	}
	return err
}
