package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	runs  = flag.Int("runs", 20, "how often each program runs in a bubble, and again outside if it waits for no clock")
	table = flag.String("table", "", "write the table of TestRuns into this file")
)

// figure is one line of the table.
type figure struct {
	program           program
	bubbles, outsides int
	took              time.Duration
	left              int
}

// Every program prints what its example says, every time, and leaves no
// goroutine.
//
//	go test -race ./examples -run '^TestRuns$' -v -runs 1000 -table ../docs/examples.md
func TestRuns(t *testing.T) {
	want := expected(t)
	var figures []figure
	for _, p := range programs {
		t.Run(p.name(), func(t *testing.T) {
			if why := notHere[p.name()]; why != "" {
				t.Skip(why)
			}
			figures = append(figures, measure(t, p, want[p.theme+"."+p.fn]))
		})
	}
	page := pageOf(figures)
	t.Log("\n" + page)
	if *table != "" && !t.Failed() {
		if err := os.WriteFile(*table, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// notHere says why a program cannot run on this system.
var notHere = map[string]string{}

func init() {
	if runtime.GOOS == "windows" {
		notHere["signal"] = "a process cannot send itself an interrupt"
	}
}

// outsideOnly are the programs that wait for something no bubble contains.
var outsideOnly = map[string]bool{"signal": true}

func measure(t *testing.T, p program, want output) figure {
	began := time.Now()
	f := figure{program: p}
	var took time.Duration // of a bubble's time
	once := func() {
		var out strings.Builder // not guarded: under -race the order of the lines is checked too
		p.run(&out)
		if err := want.differs(out.String()); err != nil {
			t.Error(err)
		}
	}
	for f.bubbles < *runs && !outsideOnly[p.name()] && !t.Failed() {
		o := bubbled(t, once)
		f.bubbles++
		f.left += len(o.left)
		if o.stuck != "" || len(o.left) > 0 {
			t.Errorf("run %d: %s %s", f.bubbles, o.stuck, strings.Join(o.left, "\n"))
		}
		took = max(took, o.took)
	}
	if t.Failed() {
		return f // outside a bubble it might never return
	}
	outsides := *runs
	if took > 0 {
		outsides = 1 // it waits for a clock: once is enough of real time
	}
	once() // what the runtime starts for its own use, it starts now
	before := runtime.NumGoroutine()
	for f.outsides < outsides && !t.Failed() {
		once()
		f.outsides++
	}
	if over := above(before); over > 0 {
		f.left += over
		t.Errorf("%d goroutines are left after %d runs outside a bubble", over, f.outsides)
	}
	f.took = time.Since(began)
	return f
}

// above waits until no more than before goroutines are there, for those that
// have done all but return, and says how many too many there are in the end.
func above(before int) int {
	for range 100_000 {
		if runtime.NumGoroutine() <= before {
			return 0
		}
		runtime.Gosched()
	}
	return runtime.NumGoroutine() - before
}

// output is what an example says it prints.
type output struct {
	text      string
	unordered bool
	found     bool
}

func (o output) differs(got string) error {
	got, want := strings.TrimSpace(got), o.text
	if o.unordered {
		got, want = sorted(got), sorted(want)
	}
	if !o.found {
		return fmt.Errorf("no example with an output calls it")
	}
	if got != want {
		return fmt.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
	return nil
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// expected reads the outputs of the themes' examples.
func expected(t *testing.T) map[string]output {
	all := map[string]output{}
	names, err := fs.Glob(sources, "*/example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := sources.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range doc.Examples([]*ast.File{f}...) {
			all[path.Dir(name)+"."+e.Name] = output{strings.TrimSpace(e.Output), e.Unordered, e.Output != ""}
		}
	}
	return all
}

// pageOf is docs/examples.md.
func pageOf(figures []figure) string {
	var b strings.Builder
	race := ""
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		race = " -race"
	}
	fmt.Fprintf(&b, "<!-- Written by the command below; do not edit. -->\n\n# The examples, run %d times\n\n", *runs)
	fmt.Fprintf(&b, `Every program of [examples](../examples/README.md) runs in a bubble of testing/synctest, where time is virtual and a
goroutine that is left blocked is found for certain, and again outside, where one that waits for a clock runs only once.
Each run must print what the program's example says. The goroutines left are those of all runs together.

`)
	fmt.Fprintf(&b, "`go test%s ./examples -run '^TestRuns$' -v -runs %d -table ../docs/examples.md`, %s on %s/%s, %s UTC.\n\n",
		race, *runs, runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().UTC().Format("2006-01-02 15:04"))
	b.WriteString("| program | in a bubble | outside | seconds | goroutines left |\n|---|---|---|---|---|\n")
	total := figure{}
	for _, f := range figures {
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f | %d |\n", f.program.name(), f.bubbles, f.outsides, f.took.Seconds(), f.left)
		total.bubbles += f.bubbles
		total.outsides += f.outsides
		total.took += f.took
		total.left += f.left
	}
	fmt.Fprintf(&b, "| **all %d** | %d | %d | %.2f | %d |\n", len(figures), total.bubbles, total.outsides, total.took.Seconds(), total.left)
	return b.String()
}
