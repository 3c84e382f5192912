package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/report"
)

func record(form string) *report.Record {
	base, none := []float64{10, 10, 10}, []float64{0, 0, 0}
	return &report.Record{
		About:  report.About{Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), CPU: "Some CPU (TM) 3", Form: form, Rounds: 3},
		Claims: []measure.Claim{{Name: "plain", Mean: 0.8}},
		Rows: []measure.Row{{Group: "plain", Name: "1→1", Claim: "plain", Goal: 1, NoAllocs: true, N: 7, Figures: []measure.Figures{
			{Name: "ours", Ns: []float64{32.3456, 33, 34}, Allocs: none, CPU: []float64{1, 2, 3}, P99: []float64{5.123}},
			{Name: "go", Ns: base, Allocs: none},
			{Name: "gone", Why: "nobody has it"},
			{Name: measure.Again, Ns: base, Allocs: none},
		}}},
		Notes: []string{"gone: it drops every second value."},
	}
}

func TestStoreAndLoad(t *testing.T) {
	dir := t.TempDir()
	name, err := Process.Store(record(report.Fast), dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "20260102-0304-some-cpu-tm-3-fast.json"; name != want {
		t.Errorf("stored as %s, want %s", name, want)
	}
	r, found, err := Newest(dir, report.Fast)
	if err != nil || found != name {
		t.Fatalf("Newest = %s, %v, want %s", found, err, name)
	}
	figures := r.Rows[0].Figures
	if ours := figures[0]; ours.Ns[0] != 32.35 || ours.CPU[2] != 3 || ours.P99[0] != 5.12 {
		t.Errorf("loaded %+v, want 32.35 ns, 3 ns of CPU, and a p99 of 5.12", ours)
	}
	if figures[2].Why != "nobody has it" || r.Claims[0].Mean != 0.8 || len(r.Notes) != 1 {
		t.Errorf("loaded %+v and %+v, and %q: a reason, a claim or a note is lost", figures[2], r.Claims, r.Notes)
	}
	if r, _, err := Newest(dir, report.Portable); r != nil || err != nil {
		t.Errorf("Newest of what is not there = %v, %v", r, err)
	}
}

func TestPage(t *testing.T) {
	dir := t.TempDir()
	for _, form := range []string{report.Fast, report.Portable} {
		if _, err := Process.Store(record(form), dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := Process.Render(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## The default build", "handoff_portable", "| 1→1 | ours |", "- gone: it drops", "cannot run: nobody has it",
		"| plain | 1+0.00 | 3.300 | 1→1 | MISSED |", "(../bench/results/20260102-0304-some-cpu-tm-3-fast.json)"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if goals, tables := strings.Index(string(text), "MISSED"), strings.Index(string(text), "### Plain"); goals > tables {
		t.Error("the goals do not stand at the top")
	}
}

// The pages say what the stored files say.
func TestThePagesAreUpToDate(t *testing.T) {
	for _, k := range []*Kind{Process, Between} {
		want, err := k.Render("../../results")
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../../docs", k.file))
		if err != nil && !(want == nil && os.IsNotExist(err)) {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("docs/%s is not what the stored results make: run go -C bench run . -render", k.file)
		}
	}
}

// What is measured between processes is kept and shown apart.
func TestTheOtherPage(t *testing.T) {
	dir := t.TempDir()
	name, err := Between.Store(record(report.Fast), dir)
	if err != nil || !strings.HasSuffix(name, "-net.json") {
		t.Fatalf("stored as %s, %v", name, err)
	}
	if text, err := Process.Render(dir); text != nil || err != nil {
		t.Errorf("the page of one process shows it: %s, %v", text, err)
	}
	text, err := Between.Render(dir)
	if err != nil || !strings.Contains(string(text), "| 1→1 | ours |") {
		t.Errorf("the page lacks it: %s, %v", text, err)
	}
}
