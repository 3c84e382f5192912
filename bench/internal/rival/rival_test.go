package rival

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Everything that can run ends with what it does checked: one value, a number
// that does not divide evenly among goroutines, and again. A body that lost,
// doubled or made up a value panics.
func TestEverythingArrives(t *testing.T) {
	names := map[string]bool{}
	for _, s := range All() {
		full := s.Group + ": " + s.Name
		if names[full] {
			t.Errorf("two shapes are called %q", full)
		}
		names[full] = true
		for _, c := range s.Contenders() {
			if c.Name == measure.Again {
				continue
			}
			t.Run(full+"/"+c.Name, func(t *testing.T) {
				if c.Body == nil {
					if c.Why == "" {
						t.Fatal("it cannot run and does not say why")
					}
					t.Skip(c.Why)
				}
				if c.Why != "" {
					t.Errorf("it runs, and says it cannot: %s", c.Why)
				}
				finishes(t, c.Body, 1, 203, 1)
			})
		}
	}
}

func finishes(t *testing.T, b measure.Body, counts ...int) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		work := b()
		for _, n := range counts {
			work(n)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("still not done after a minute")
	}
}

// Some queues keep every value of a few hundred and lose one of many, so those
// that are fast enough carry more.
func TestManyArrive(t *testing.T) {
	for _, s := range slices.Concat(bounded(), unbounded()) {
		for _, c := range s.Rivals {
			if c.Body != nil {
				t.Run(s.Name+"/"+c.Name, func(t *testing.T) { finishes(t, c.Body, 20_000) })
			}
		}
	}
}

// The collector's time rises with what there is to collect.
func TestTheCollectorIsTimed(t *testing.T) {
	w := sizes[slices.IndexFunc(sizes, func(w weight) bool { return w.name == "16 KiB" })]
	const n = 4000
	copies, pointers := collecting(w.copyGo)()(n), collecting(w.pointerGo)()(n)
	if copies.Elapsed <= 0 || pointers.Elapsed <= copies.Elapsed {
		t.Errorf("the collector took %v for copies and %v for pointers", copies.Elapsed, pointers.Elapsed)
	}
}

// Every shape has a base that can run, and every table says the same rivals in
// all its rows.
func TestEveryTableHasAllItsRivals(t *testing.T) {
	of := map[string][]string{}
	for _, s := range All() {
		if s.Ours == nil || s.Rivals[0].Body == nil {
			t.Errorf("%s: %s has nothing to compare", s.Group, s.Name)
		}
		var names []string
		for _, c := range s.Rivals {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		if before, ok := of[s.Group]; ok && !slices.Equal(before, names) && s.Group != "instead of a channel" {
			t.Errorf("%s: %s has %v, a row before has %v", s.Group, s.Name, names, before)
		}
		of[s.Group] = names
	}
}

func TestEveryRivalHasANote(t *testing.T) {
	notes := Notes()
	for _, r := range slices.Concat(bounds, boundless, slows) {
		if r.laws == "" || !slices.Contains(notes, r.name+": "+r.laws+".") {
			t.Errorf("no note says which laws %s drops", r.name)
		}
	}
	if slices.Contains(notes, "") || len(notes) != len(slices.Compact(slices.Sorted(slices.Values(notes)))) {
		t.Errorf("a note is empty, or is there twice: %q", notes)
	}
}

// faulty is a queue that does not do its work: each value passes through spoil.
func faulty(spoil func(v int) int) rival {
	return rival{name: "faulty", lacks: anywhere, open: func(l load) queue {
		q := golang.open(load{slots: l.n})
		send := q.send
		q.send = func(from, n int) {
			for i := range n {
				send(spoil(from+i), 1)
			}
		}
		return q
	}}
}

func TestLossIsNoticed(t *testing.T) {
	l := load{senders: 2, receivers: 2, slots: 0}
	for name, spoil := range map[string]func(int) int{
		"doubled": func(v int) int { return v &^ 1 },      // every second one overwritten by its neighbour
		"zeroed":  func(v int) int { return v * (v % 3) }, // a slot read before it was written
	} {
		if said := panics(func() { cross(faulty(spoil), l)()(100) }); !strings.Contains(said, "add up to") {
			t.Errorf("%s values: the run said %q", name, said)
		}
	}
	if said := panics(func() { cross(faulty(func(v int) int { return v }), l)()(100) }); said != "" {
		t.Errorf("a queue without fault: the run said %q", said)
	}
}

func TestWrongWorkIsNoticed(t *testing.T) {
	lost := 0
	torn := func(r *reading, n int) { r.see(state{2, 1}) }
	var mu sync.Mutex
	for want, work := range map[string]func(){
		"a counter rose by": func() {
			counting(100, func(n int) { mu.Lock(); lost += n / 2; mu.Unlock() }, func() int { return lost })
		},
		"half a state":      func() { sharing(100, func(int) {}, torn) },
		"the last state is": func() { sharing(100, func(int) {}, func(r *reading, n int) { r.see(state{}) }) },
		"a listener was told": func() {
			told := []int{2, 1, 3}
			telling(func(int) {}, func() int { v := told[0]; told = told[1:]; return v })(3)
		},
		"the values received add": func() { pair(10, func(int) {}, func(int) uint64 { return 89 }) },
	} {
		if said := panics(work); !strings.Contains(said, want) {
			t.Errorf("the run said %q, want %q", said, want)
		}
	}
}

// panics returns what f panics with, "" if it does not.
func panics(f func()) (said string) {
	defer func() {
		if p := recover(); p != nil {
			said = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

// row is one size, with the medians of a copy and a pointer through Go's channel.
func row(name string, values, pointers float64) measure.Row {
	r := measure.Row{Group: timeGroup, Name: name}
	for who, ns := range map[string]float64{native: values, byGoPointer: pointers} {
		f := measure.Figures{Name: who}
		if ns > 0 {
			f.Ns = []float64{ns, ns, ns}
		}
		r.Figures = append(r.Figures, f)
	}
	return r
}

func TestBreakEvenIsComputed(t *testing.T) {
	for _, c := range []struct {
		rows []measure.Row
		want string
	}{
		{nil, ""},
		{[]measure.Row{{Group: "another", Name: "8 B"}}, ""},
		{[]measure.Row{row("8 B", 1, 2), row("1 KiB", 3, 2), row("4 KiB", 9, 2)}, "Through Go's channel a pointer to a fresh value is faster than the copy from 1 KiB on, up to 4 KiB."},
		{[]measure.Row{row("8 B", 1, 2), row("1 KiB", 3, 2), row("4 KiB", 9, 10), row("64 KiB", 0, 10)}, "Through Go's channel a pointer to a fresh value is first faster than the copy at 1 KiB, though not at 4 KiB."},
		{[]measure.Row{row("8 B", 1, 2), row("1 KiB", 2, 2)}, "Through Go's channel a pointer to a fresh value was never faster than the copy, up to 1 KiB."},
	} {
		if got := strings.Join(BreakEven(c.rows), "\n"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The sizes are what they are called, rise, and cross Go's limit once.
func TestSizesRise(t *testing.T) {
	before := 0
	for _, w := range sizes {
		if w.bytes <= before {
			t.Errorf("%s is %d bytes, after %d", w.name, w.bytes, before)
		}
		if (w.copyGo != nil) != (w.bytes < 64<<10) {
			t.Errorf("%s through Go's channel: %v", w.name, w.copyGo != nil)
		}
		before = w.bytes
	}
}
