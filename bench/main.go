// Command bench puts our channel beside Go's own, and Go's beside itself, and
// prints by how much they differ. See docs/results.md for what it measures and
// what it does not.
//
//	go -C bench run . -short          the table, in less than three minutes
//	go -C bench run . -write          store the run and make docs/results.md anew
//	go -C bench run . -only '^select' some groups or shapes
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/handoff-go/handoff/bench/internal/measure"
	"github.com/handoff-go/handoff/bench/internal/report"
	"github.com/handoff-go/handoff/bench/internal/shape"
)

// Where results are kept, seen from this folder, and from the page.
const (
	resultsDir = "results"
	page       = "../docs/results.md"
	pageLink   = "../bench/results"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, out, told io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	var (
		short  = flags.Bool("short", false, "shorter samples: less than three minutes in all")
		rounds = flags.Int("rounds", 15, "repetitions of everything")
		sample = flags.Duration("sample", 0, "how long one sample takes, about (default 80ms, with -short 20ms)")
		only   = flags.String("only", "", "regular expression: the groups or shapes to measure")
		write  = flags.Bool("write", false, "store the run in results and generate docs/results.md")
		render = flags.Bool("render", false, "measure nothing, generate docs/results.md from what is stored")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *render {
		return report.WritePage(page, resultsDir, pageLink)
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
			*sample = 20 * time.Millisecond
		}
	}
	r := take(shapes, measure.Plan{Rounds: *rounds, Target: *sample}, report.Here(args), told)
	if err := r.Text(out); err != nil || !*write {
		return err
	}
	name, err := r.Store(resultsDir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "stored as bench/%s/%s\n", resultsDir, name)
	return report.WritePage(page, resultsDir, pageLink)
}

// choose returns the shapes whose group and name the pattern fits.
func choose(pattern string, short bool) ([]*measure.Shape, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var chosen []*measure.Shape
	for _, s := range shape.All() {
		if re.MatchString(s.Group+": "+s.Name) && !(short && s.Long) {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no shape is called %q", pattern)
	}
	return chosen, nil
}

// take measures, and tells how far it is.
func take(shapes []*measure.Shape, p measure.Plan, about report.About, told io.Writer) *report.Record {
	about.Rounds, about.Sample = p.Rounds, p.Target.String()
	fmt.Fprintf(told, "%d shapes, calibrating", len(shapes))
	p.Told = func(round int) {
		fmt.Fprintf(told, "\rround %d of %d, %s    ", round+1, p.Rounds, time.Since(about.Date).Round(time.Second))
	}
	rows := measure.Run(shapes, p)
	fmt.Fprint(told, "\r"+strings.Repeat(" ", 40)+"\r")
	about.Finish()
	return &report.Record{About: about, Rows: rows}
}
