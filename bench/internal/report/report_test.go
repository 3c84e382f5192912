package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/bench/internal/measure"
)

func record(form string, ours ...float64) *Record {
	none := make([]float64, len(ours))
	base := make([]float64, len(ours))
	for i := range base {
		base[i] = 10
	}
	return &Record{
		About: About{Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CPU: "Some CPU (TM) 3", Form: form},
		Rows: []measure.Row{{Group: "plain", Name: "1→1", Goal: 1.5, NoAllocs: true, N: 7, Figures: []measure.Figures{
			{Name: "ours", Ns: ours, Allocs: none}, {Name: "go", Ns: base, Allocs: none}, {Name: measure.Again, Ns: base, Allocs: none},
		}}},
	}
}

func TestStoreAndLoad(t *testing.T) {
	dir := t.TempDir()
	name, err := record(Fast, 12.3456, 13, 14).Store(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "20260102-0304-some-cpu-tm-3-fast.json"; name != want {
		t.Errorf("stored as %s, want %s", name, want)
	}
	r, found, err := Newest(dir, Fast)
	if err != nil || found != name {
		t.Fatalf("Newest = %s, %v, want %s", found, err, name)
	}
	if got := r.Rows[0].Figures[0].Ns[0]; got != 12.35 {
		t.Errorf("loaded %v ns, want 12.35", got)
	}
	if r, _, err := Newest(dir, Portable); r != nil || err != nil {
		t.Errorf("Newest of what is not there = %v, %v", r, err)
	}
}

func TestTheGoalIsJudged(t *testing.T) {
	for _, c := range []struct {
		ours []float64
		want string
	}{
		{[]float64{14, 15, 15}, met},
		{[]float64{14, 15.5, 15.5}, inside},
		{[]float64{14, 17, 99}, missed},
	} {
		row := record(Fast, c.ours...).Rows[0]
		row.Figures[2].Ns = []float64{10, 11, 11} // a noise of 0.1
		l := newLine(row)
		if got := l.within(); got != c.want {
			t.Errorf("%v against 10 within 1.5: %s, want %s", c.ours, got, c.want)
		}
	}
}

func TestAllocationsAreJudged(t *testing.T) {
	row := record(Fast, 1, 1, 1).Rows[0]
	for _, c := range []struct {
		allocs float64
		want   string
	}{{0.001, "0"}, {0.5, "0.50 NO"}, {2.001, "2 NO"}} {
		row.Figures[0].Allocs = []float64{c.allocs, c.allocs, c.allocs}
		l := newLine(row)
		if got := l.allocated(); got != c.want {
			t.Errorf("%v allocations are shown as %q, want %q", c.allocs, got, c.want)
		}
	}
}

func TestTables(t *testing.T) {
	dir := t.TempDir()
	for _, form := range []string{Fast, Portable} {
		r := record(form, 30, 30, 30)
		var text strings.Builder
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"3.00", "NO", "1 are not"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the table lacks %q:\n%s", want, text.String())
			}
		}
		if _, err := r.Store(dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := Page(dir, "there")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## The default build", "handoff_portable", "| 1→1 |", "(there/20260102-0304-some-cpu-tm-3-fast.json)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

// The page says what the stored files say.
func TestThePageIsUpToDate(t *testing.T) {
	want, err := Page("../../results", "../bench/results")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.FromSlash("../../../docs/results.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/results.md is not what the stored results make: run go -C bench run . -render")
	}
}
