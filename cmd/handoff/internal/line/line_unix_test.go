//go:build unix

package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
)

// numbers are n lines, from 1.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

// outcome is what came of a line.
type outcome struct {
	out, errs string
	failed    []Failure
	listed    []string // of all failures
	err       error
}

// runLine runs stages over in with few slots, and what c says beside.
func runLine(t *testing.T, c Config, in string, stages ...Stage) (o outcome) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stages, c.In, c.Out, c.Err = stages, strings.NewReader(in), &out, &errs
	if c.Slots == 0 {
		c.Slots = 4
	}
	if c.MaxLine == 0 {
		c.MaxLine = 1 << 20
	}
	if c.Attempts == 0 {
		c.Attempts = 3
	}
	c.List = true
	o.err = Run(t.Context(), c, func(f Failure) {
		o.failed = append(o.failed, f)
		if f.Lines == nil {
			return
		}
		text, err := io.ReadAll(f.Lines)
		if err != nil {
			t.Error(err)
		}
		if n := bytes.Count(text, []byte("\n")); n != f.Given {
			t.Errorf("%d lines are listed, and %d were given", n, f.Given)
		}
		o.listed = append(o.listed, strings.Fields(string(text))...)
	})
	o.out, o.errs = out.String(), errs.String()
	return o
}

func filter(text string) Stage         { return Stage{Text: text, Replicas: 1} }
func filters(n int, text string) Stage { return Stage{Text: text, Replicas: n} }

// ok checks that all went well and returns the lines, sorted as numbers.
func (o outcome) ok(t *testing.T) []int {
	t.Helper()
	if o.err != nil || len(o.failed) > 0 || o.errs != "" {
		t.Fatalf("%v, %+v, %q", o.err, o.failed, o.errs)
	}
	return o.numbers(t)
}

func (o outcome) numbers(t *testing.T) (ns []int) {
	t.Helper()
	for _, s := range strings.Fields(o.out) {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

// oneTo are the numbers up to n.
func oneTo(n int) (ns []int) {
	for i := range n {
		ns = append(ns, i+1)
	}
	return ns
}

func TestOrder(t *testing.T) {
	in := numbers(5000)
	if o := runLine(t, Config{}, in, filter("cat"), filter("cat"), filter("cat")); o.ok(t) == nil || o.out != in {
		t.Errorf("%d bytes came out in another form or order than the %d that went in", len(o.out), len(in))
	}
}

func TestReplicasLoseNothing(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	o := runLine(t, Config{}, numbers(n), filter("cat"), filters(4, "cat"), filter("cat"))
	if !slices.Equal(o.ok(t), oneTo(n)) {
		t.Errorf("%d numbers of %d came, or not each once", len(o.numbers(t)), n)
	}
}

func TestReplicasKeepOrderWithinThemselves(t *testing.T) {
	o := runLine(t, Config{}, numbers(2000), filters(3, `while read -r x; do echo "$HANDOFF_REPLICA $x"; done`))
	last := map[string]int{}
	for text := range strings.Lines(o.out) {
		var replica string
		var n int
		fmt.Sscan(text, &replica, &n)
		if n <= last[replica] {
			t.Fatalf("replica %s: %d after %d", replica, n, last[replica])
		}
		last[replica] = n
	}
	// One that starts late may find nothing left.
	if n := strings.Count(o.out, "\n"); n != 2000 || len(last) == 0 || o.err != nil {
		t.Errorf("%d lines, %v, %v", n, last, o.err)
	}
}

func TestLastLineWithoutEnd(t *testing.T) {
	for _, stages := range [][]Stage{{filter("cat")}, {filters(2, "cat"), filter("cat")}, {{Text: "cat", Replicas: 2, Batch: 2}}} {
		if o := runLine(t, Config{}, "1\n2\n3", stages...); !slices.Equal(o.ok(t), oneTo(3)) {
			t.Errorf("%q", o.out)
		}
	}
}

func TestNull(t *testing.T) {
	o := runLine(t, Config{Form: frame.Null}, "a\nb\x00c", filter("cat"), Stage{Text: "cat", Replicas: 1, Batch: 9})
	if o.err != nil || o.out != "a\nb\x00c\x00" {
		t.Errorf("%q, %v", o.out, o.err)
	}
}

// endless is a stage that would never end by itself.
const endless = "while :; do echo y; done"

// A stage that has enough ends those before it, and that is no failure.
func TestEarlyEnd(t *testing.T) {
	for _, stages := range [][]Stage{
		{filter(endless), filter("head -n 1")},
		{filter(endless), filter("cat"), filters(3, "cat"), filter("head -n 1")},
		{filters(2, endless), filter("cat"), filter("head -n 1")},
		{filter(endless), Stage{Text: "cat", Replicas: 2, Batch: 3}, filter("head -n 1")},
		{filter("cat"), filter("head -n 1"), filter("cat")},
	} {
		o := runLine(t, Config{}, strings.Repeat("y\n", 50_000), stages...)
		if o.err != nil || len(o.failed) > 0 || o.out != "y\n" {
			t.Errorf("%v: %v, %+v, %q", stages, o.err, o.failed, o.out)
		}
	}
}

func TestExitCodes(t *testing.T) {
	o := runLine(t, Config{}, numbers(3), filter("cat; exit 3"), filter("cat"), filter("cat >&2; false"))
	if o.err != nil || len(o.failed) != 2 || o.errs != numbers(3) {
		t.Fatalf("%v, %+v, %q", o.err, o.failed, o.errs)
	}
	for i, want := range []string{"exit 3", "exit 1"} {
		if f := o.failed[i]; f.Stage != 2*i+1 || f.Replica != 1 || f.Ending.String() != want || f.Given != 3 {
			t.Errorf("%+v, want %s of stage %d", f, want, 2*i+1)
		}
	}
}

// A replica that is killed leaves its lines listed, and the rest to the others.
func TestReplicaKilled(t *testing.T) {
	const n = 3000
	o := runLine(t, Config{}, numbers(n), filters(3, `while read -r x; do [ "$x" = 700 ] && kill -9 $$; echo "$x"; done`))
	if o.err != nil || len(o.failed) != 1 || !strings.HasPrefix(o.failed[0].Ending.String(), "killed by signal 9") {
		t.Fatalf("%v, %+v", o.err, o.failed)
	}
	got := o.numbers(t)
	if !slices.Contains(o.listed, "700") || slices.Contains(got, 700) {
		t.Errorf("the line that killed is not listed, or came out: %v", o.listed)
	}
	if len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Error("a line came out twice")
	}
	for _, s := range o.listed {
		x, _ := strconv.Atoi(s)
		got = append(got, x)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, oneTo(n)) {
		t.Errorf("%d of %d lines came out or are listed", len(got), n)
	}
}

func TestBatch(t *testing.T) {
	o := runLine(t, Config{}, numbers(25), Stage{Text: "wc -l", Replicas: 3, Batch: 4})
	got := o.ok(t)
	total := 0
	for _, n := range got {
		total += n
		if n > 4 || n < 1 {
			t.Errorf("a run had %d lines", n)
		}
	}
	if total != 25 || len(got) < 7 || len(got) > 9 {
		t.Errorf("%v", got)
	}
}

// The lines of a run that fails, however it does, go to another one, and what the
// first wrote is not seen.
func TestBatchAgain(t *testing.T) {
	for _, end := range []string{"exit 1", "kill -9 $$"} {
		o := runLine(t, Config{Attempts: 5}, numbers(300), Stage{
			Text: `cat; [ "$HANDOFF_ATTEMPT" -lt 3 ] && ` + end + `; true`, Replicas: 4, Batch: 7,
		})
		if !slices.Equal(o.ok(t), oneTo(300)) {
			t.Errorf("%s: %d lines came, or not each once", end, len(o.numbers(t)))
		}
	}
}

func TestExec(t *testing.T) {
	o := runLine(t, Config{}, numbers(40), Stage{Text: `read -r x; [ "$x" = "$1" ] && echo "$x"`, Replicas: 3, Batch: 1, Exec: true})
	if !slices.Equal(o.ok(t), oneTo(40)) {
		t.Errorf("%q", o.out)
	}
}

// A line no run can do is tried as often as was said, and listed.
func TestPoison(t *testing.T) {
	dir := t.TempDir()
	o := runLine(t, Config{Attempts: 2}, numbers(20), Stage{
		Text:     `echo x >>"` + dir + `/$1"; echo "$1"; [ "$1" != 7 ] && [ "$1" != 9 ]`,
		Replicas: 2, Batch: 1, Exec: true,
	})
	slices.Sort(o.listed)
	if o.err != nil || !slices.Equal(o.listed, []string{"7", "9"}) {
		t.Errorf("%v, %v", o.err, o.listed)
	}
	if got := o.numbers(t); len(got) != 18 || slices.Contains(got, 7) || slices.Contains(got, 9) {
		t.Errorf("%v", got)
	}
	runs := 0
	for _, f := range o.failed {
		runs += f.Runs
	}
	tried, err := os.ReadFile(dir + "/7")
	if runs != 2 || err != nil || string(tried) != "x\nx\n" {
		t.Errorf("%d runs failed for good; 7 was tried %q, %v", runs, tried, err)
	}
}

func TestLongLines(t *testing.T) {
	for _, c := range []struct {
		stages []Stage
		says   string
	}{
		{[]Stage{filter("cat"), filter("echo a; echo 123456789; cat"), filter("cat")}, "its output, line 2: it is too long: more than 8 bytes"},
		{[]Stage{{Text: "echo 123456789", Replicas: 1, Batch: 1}}, "line 1: it is too long"},
	} {
		o := runLine(t, Config{MaxLine: 8, Attempts: 1}, "1\n", c.stages...)
		if len(o.failed) != 1 || o.failed[0].Why == nil || !strings.Contains(o.failed[0].Why.Error(), c.says) {
			t.Errorf("%+v, want %q", o.failed, c.says)
		}
	}
	o := runLine(t, Config{MaxLine: 8}, "1\n123456789\n", filters(2, "cat"))
	if len(o.failed) != 1 || o.failed[0].Stage != 0 || !strings.Contains(o.failed[0].Why.Error(), "line 2: it is too long") || o.out != "1\n" {
		t.Errorf("%+v, %q", o.failed, o.out)
	}
}

// Big output of a run is held on disk, and what is left there is nothing.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	o := runLine(t, Config{}, numbers(2), Stage{
		Text: `i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo "$i................................"; done`, Replicas: 2, Batch: 1,
	})
	if o.err != nil || len(o.failed) > 0 || strings.Count(o.out, "\n") != 80_000 {
		t.Errorf("%v, %+v, %d lines", o.err, o.failed, strings.Count(o.out, "\n"))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// stuck is an output nobody reads until it is let go.
type stuck struct {
	letGo chan struct{}
	got   atomic.Int64
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.letGo
	s.got.Add(int64(bytes.Count(b, []byte("\n"))))
	return len(b), nil
}

// counting keeps the last number written to it.
type counting struct{ last atomic.Int64 }

func (c *counting) Write(b []byte) (int, error) {
	if words := strings.Fields(string(b)); len(words) > 0 {
		n, _ := strconv.Atoi(words[len(words)-1])
		c.last.Store(int64(n))
	}
	return len(b), nil
}

// The first stage does not run ahead of a stuck output by more than the slots,
// the pipes and the buffers between hold.
func TestBackpressure(t *testing.T) {
	const lines, width = 4000, 1000
	// Three pipes of 64 KiB, two buffers of 16 KiB, the buffer of cat, two
	// channels of 4 slots, one write, and one line in each hand.
	const most = (3*(64<<10)+2*(16<<10)+(256<<10))/width + 2*4 + writeMost + 8
	out, made := &stuck{letGo: make(chan struct{})}, &counting{}
	c := Config{
		Slots: 4, MaxLine: 1 << 20, In: strings.NewReader(""), Out: out, Err: made,
		Stages: []Stage{
			filter(fmt.Sprintf(`i=0; while [ $i -lt %d ]; do i=$((i+1)); printf '%%0%dd\n' $i; echo $i >&2; done`, lines, width-1)),
			filter("cat"),
		},
	}
	done := make(chan error, 1)
	go func() {
		done <- Run(t.Context(), c, func(f Failure) { t.Errorf("%+v", f) })
	}()
	// It gets so far at least, and then as long as it likes to go too far.
	for made.last.Load() < 60 {
		time.Sleep(time.Millisecond)
	}
	for range 300 {
		if n := made.last.Load(); n > most {
			t.Errorf("%d lines were made with nobody reading, more than %d", n, most)
			break
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("%d lines were made with nobody reading, of at most %d", made.last.Load(), most)
	close(out.letGo)
	if err := <-done; err != nil || out.got.Load() != lines {
		t.Errorf("%v, %d lines", err, out.got.Load())
	}
}

// Interrupted, the line ends all it has started, and says why it ended.
func TestInterrupted(t *testing.T) {
	reason := errors.New("enough")
	for _, stages := range [][]Stage{
		{filter(endless), filters(2, "cat")},
		{filter("cat"), filter("while read -r x; do echo $x; done"), filter("cat")},
		{filter("echo x; cat"), {Text: "cat; while :; do :; done", Replicas: 2, Batch: 1}},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		in, feed := io.Pipe()
		go io.WriteString(feed, "1\n2\n3\n")
		c := Config{
			Slots: 4, MaxLine: 100, Attempts: 3, Stages: stages, In: in, Out: io.Discard, Err: io.Discard,
			Passed: func(int) { cancel(reason) },
		}
		err := Run(ctx, c, func(f Failure) { t.Errorf("%+v", f) })
		if !errors.Is(err, reason) {
			t.Errorf("%v: %v", stages, err)
		}
		feed.Close()
		cancel(nil)
	}
}
