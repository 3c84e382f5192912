package cli

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/handoff-go/handoff/cmd/handoff/internal/screen"
	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/report"
	"github.com/handoff-go/handoff/internal/bench/shape"
	"github.com/spf13/cobra"
)

// benchSample is how long one sample takes, about: all of them less than a minute.
const benchSample = 8 * time.Millisecond

// benchRounds is how many samples a median wants.
const benchRounds = 15

func newBench(s Streams) *cobra.Command {
	var only string
	rounds := benchRounds
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure our channel against Go's own, on this machine",
		Long: `Measure our channel against Go's own, on this machine, in less than a minute.

Each shape is done by ours, by Go's, and by Go's once more, interleaved and in
random order. A ratio of 0.80 means that ours takes 0.80 of the time of Go's; a
figure beside Go's, such as ±0.05, is how far Go's was from itself in the same
run: differences below it say nothing. At the end stands each goal of the channel,
with the worst figure, met or missed. A missed goal is a result too: the exit
code is 0.

The channel is that of one process (Make); homes and media are not measured. The
repository has a longer form, with rivals: go -C bench run .`,
		Example: `  handoff bench
  handoff bench --only '^select'     # groups or shapes
  handoff bench --rounds 31          # more samples of everything`,
		Args: cobra.NoArgs,
		RunE: runs(func(ctx context.Context, _ []string) error {
			if rounds < 1 {
				return usage("--rounds %d is not at least 1", rounds)
			}
			shapes, err := benchShapes(only)
			if err != nil {
				return err
			}
			return runBench(ctx, shapes, measure.Plan{Rounds: rounds, Target: benchSample}, s)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&only, "only", "", "measure the groups or shapes that `REGEXP` fits")
	f.IntVar(&rounds, "rounds", benchRounds, "take `N` samples of everything")
	return cmd
}

// benchShapes are those that a goal of the channel is about, without those that
// take long.
func benchShapes(only string) ([]*measure.Shape, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, usage("--only: %v", err)
	}
	var shapes []*measure.Shape
	for _, one := range shape.Choose(shape.All(), pattern, true) {
		if one.Claim != "" {
			shapes = append(shapes, one)
		}
	}
	if len(shapes) == 0 {
		return nil, usage("--only %q fits no shape", only)
	}
	return shapes, nil
}

func runBench(ctx context.Context, shapes []*measure.Shape, p measure.Plan, s Streams) error {
	show := screen.New(nil, s.Err)
	p.Told = func(round int) { show.Progress("rounds", round, p.Rounds, "") }
	about := report.Here(p)
	rows, err := measure.Run(ctx, shapes, p)
	show.Clear()
	if err != nil {
		return err
	}
	about.Finish()
	r := report.Record{About: about, Claims: shape.Claims(), Rows: rows}
	if err := r.Text(s.Out); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, "\nBelow 1 ours is faster than Go's; within the noise (±) of Go's against itself a difference means nothing.")
	return err
}
