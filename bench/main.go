// Command bench puts our channel beside Go's own, and Go's beside itself, and
// prints by how much they differ. See docs/results.md for what it measures and
// what it does not.
//
//	go -C bench run . -short          the table, in less than three minutes
//	go -C bench run . -write          store the run and make docs/results.md anew
//	go -C bench run . -only '^select' some groups or shapes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handoff-go/handoff/bench/internal/crossbeam"
	"github.com/handoff-go/handoff/bench/internal/page"
	"github.com/handoff-go/handoff/bench/internal/rival"
	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/report"
	"github.com/handoff-go/handoff/internal/bench/shape"
)

// Where results are kept, seen from this folder, and from the page.
const (
	resultsDir = "results"
	pageFile   = "../docs/results.md"
	pageLink   = "../bench/results"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, told io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var (
		short  = flags.Bool("short", false, "shorter samples: less than three minutes in all")
		rounds = flags.Int("rounds", 15, "repetitions of everything")
		sample = flags.Duration("sample", 0, "how long one sample takes, about (default 80ms, with -short 10ms)")
		only   = flags.String("only", "", "regular expression: the groups or shapes to measure")
		write  = flags.Bool("write", false, "store the run in results and generate docs/results.md")
		render = flags.Bool("render", false, "measure nothing, generate docs/results.md from what is stored")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *render {
		return page.Write(pageFile, resultsDir, pageLink)
	}
	shapes, err := choose(*only, *short)
	if err != nil {
		return err
	}
	if *write && *only != "" {
		return errors.New("-write stores whole runs, not -only a part")
	}
	if *sample == 0 {
		*sample = 80 * time.Millisecond
		if *short {
			*sample = 10 * time.Millisecond
		}
	}
	stop := crossbeam.Join(ctx, shapes)
	r, err := take(ctx, shapes, measure.Plan{Rounds: *rounds, Target: *sample}, told)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	r.About.Commit, r.About.Command = page.Commit(), page.Command(args)
	r.Notes = append(rival.Notes(), rival.BreakEven(r.Rows)...)
	if err := r.Text(out); err != nil || !*write {
		return err
	}
	name, err := page.Store(r, resultsDir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "stored as bench/%s/%s\n", resultsDir, name)
	return page.Write(pageFile, resultsDir, pageLink)
}

// choose returns the shapes whose group and name the pattern fits.
func choose(pattern string, short bool) ([]*measure.Shape, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	chosen := shape.Choose(all(), re, short)
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no shape is called %q", pattern)
	}
	return chosen, nil
}

// all is ours against Go's, and every rival.
func all() []*measure.Shape {
	return slices.Concat(shape.All(), rival.All())
}

// take measures, and tells how far it is.
func take(ctx context.Context, shapes []*measure.Shape, p measure.Plan, told io.Writer) (*report.Record, error) {
	about := report.Here(p)
	fmt.Fprintf(told, "%d shapes, calibrating", len(shapes))
	p.Told = func(round int) {
		fmt.Fprintf(told, "\rround %d of %d, %s    ", round+1, p.Rounds, time.Since(about.Date).Round(time.Second))
	}
	rows, err := measure.Run(ctx, shapes, p)
	fmt.Fprint(told, "\r"+strings.Repeat(" ", 40)+"\r")
	about.Finish()
	return &report.Record{About: about, Claims: shape.Claims(), Rows: rows}, err
}
