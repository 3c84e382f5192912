// Command bench puts our channel beside Go's own, Go's beside itself, and our
// channels between processes beside bare sockets and other people's queues, and
// prints by how much they differ. See docs/results.md and docs/results-net.md for
// what it measures and what it does not.
//
//	go -C bench run . -short          the tables, in a few minutes
//	go -C bench run . -write          store the run and make the pages anew
//	go -C bench run . -only '^select' some groups or shapes
//	go -C bench run . -only '^net'    what crosses between processes
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

	"github.com/handoff-go/handoff/bench/internal/between"
	"github.com/handoff-go/handoff/bench/internal/crossbeam"
	"github.com/handoff-go/handoff/bench/internal/page"
	"github.com/handoff-go/handoff/bench/internal/rival"
	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/report"
	"github.com/handoff-go/handoff/internal/bench/shape"
)

// Where results are kept and pages are, seen from this folder.
const (
	resultsDir = "results"
	docsDir    = "../docs"
)

func main() {
	between.Play() // if this process is a party of a row and not the bench
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
		short  = flags.Bool("short", false, "shorter samples and fewer shapes: a few minutes in all")
		rounds = flags.Int("rounds", 15, "repetitions of everything")
		sample = flags.Duration("sample", 0, "how long one sample takes, about (default 80ms, with -short 10ms, between processes 40ms)")
		only   = flags.String("only", "", "regular expression: the groups or shapes to measure")
		write  = flags.Bool("write", false, "store the run in results and generate the pages in docs")
		render = flags.Bool("render", false, "measure nothing, generate the pages in docs from what is stored")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *render {
		return errors.Join(page.Process.Write(resultsDir, docsDir), page.Between.Write(resultsDir, docsDir))
	}
	fleet, err := between.NewFleet(ctx)
	if err != nil {
		return err
	}
	parts, err := choose(fleet, *only, *short, *write)
	for i := 0; i < len(parts) && err == nil; i++ {
		plan := measure.Plan{Rounds: *rounds, Target: *sample}
		switch {
		case plan.Target > 0:
		case *short:
			plan.Target = parts[i].short
		default:
			plan.Target = 80 * time.Millisecond
		}
		err = parts[i].run(ctx, plan, page.Command(args), *write, out, told)
	}
	return errors.Join(err, fleet.Stop())
}

// part is what stands on one page, and the shapes of it that are measured.
type part struct {
	page   *page.Kind
	claims []measure.Claim
	shapes []*measure.Shape
	short  time.Duration // how long a sample takes with -short
	notes  func(rows []measure.Row) []string
	join   func(ctx context.Context, shapes []*measure.Shape) (stop func() error)
}

// everything fits every shape.
var everything = regexp.MustCompile("")

// choose returns the shapes whose group and name the pattern fits, by page. The
// processes that some of them need are fleet's.
func choose(fleet *between.Fleet, pattern string, short, write bool) ([]part, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	all := []part{
		{
			page: page.Process, claims: shape.Claims(), shapes: slices.Concat(shape.All(), rival.All()), join: crossbeam.Join, short: 10 * time.Millisecond,
			notes: func(rows []measure.Row) []string { return append(rival.Notes(), rival.BreakEven(rows)...) },
		},
		{
			page: page.Between, claims: between.Claims(), shapes: between.All(fleet), join: alone,
			short: 40 * time.Millisecond, // to ask all parties takes a fraction of a millisecond
			notes: func([]measure.Row) []string { return between.Notes() },
		},
	}
	var chosen []part
	for _, p := range all {
		whole := len(shape.Choose(p.shapes, everything, short))
		if p.shapes = shape.Choose(p.shapes, re, short); len(p.shapes) == 0 {
			continue
		}
		if write && len(p.shapes) != whole {
			return nil, errors.New("-write stores whole pages, not -only a part of one")
		}
		chosen = append(chosen, p)
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no shape is called %q", pattern)
	}
	return chosen, nil
}

// alone is for a part that nobody else joins.
func alone(context.Context, []*measure.Shape) func() error { return func() error { return nil } }

// run measures, prints, and with write stores.
func (p *part) run(ctx context.Context, plan measure.Plan, command string, write bool, out, told io.Writer) error {
	stop := p.join(ctx, p.shapes)
	r, err := p.take(ctx, plan, told)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	r.About.Commit, r.About.Command = page.Commit(), command
	r.Notes = p.notes(r.Rows)
	if err := r.Text(out); err != nil || !write {
		return err
	}
	name, err := p.page.Store(r, resultsDir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "stored as bench/%s/%s\n", resultsDir, name)
	return p.page.Write(resultsDir, docsDir)
}

// take measures, and tells how far it is.
func (p *part) take(ctx context.Context, plan measure.Plan, told io.Writer) (*report.Record, error) {
	about := report.Here(plan)
	fmt.Fprintf(told, "%d shapes, calibrating", len(p.shapes))
	plan.Told = func(round int) {
		fmt.Fprintf(told, "\rround %d of %d, %s    ", round+1, plan.Rounds, time.Since(about.Date).Round(time.Second))
	}
	rows, err := measure.Run(ctx, p.shapes, plan)
	fmt.Fprint(told, "\r"+strings.Repeat(" ", 40)+"\r")
	about.Finish()
	return &report.Record{About: about, Claims: p.claims, Rows: rows}, err
}
