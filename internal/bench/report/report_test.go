package report

import (
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// row is one in which ours took so long, and Go's 10 and then again.
func row(goal float64, again []float64, ours ...float64) measure.Row {
	base := make([]float64, len(ours))
	for i := range base {
		base[i] = 10
	}
	none := make([]float64, len(ours))
	return measure.Row{Group: "plain", Name: "1→1", Claim: "plain", Goal: goal, NoAllocs: true, N: 7, Figures: []measure.Figures{
		{Name: "ours", Ns: ours, Allocs: none, CPU: ours}, {Name: "go", Ns: base, Allocs: none},
		{Name: "other", Ns: []float64{20, 20, 20}, P50: []float64{1}, P99: []float64{2}, P999: []float64{3}},
		{Name: "gone", Why: "nobody has it"},
		{Name: measure.Again, Ns: again, Allocs: none},
	}}
}

// Noise helps only whoever must not be slower.
func TestTheGoalIsJudged(t *testing.T) {
	noisy := []float64{10, 11, 11} // 0.1 from the base
	for _, c := range []struct {
		goal float64
		ours []float64
		want Answer
	}{
		{1, []float64{9, 10, 10}, Met},
		{1, []float64{9, 10.5, 10.5}, InNoise},
		{1, []float64{9, 11.5, 11.5}, Missed},
		{0.8, []float64{7, 8, 8}, Met},
		{0.8, []float64{7, 8.1, 8.1}, Missed},
		{1.5, []float64{14, 15.1, 15.1}, Missed},
		{0, []float64{99, 99, 99}, ""},
	} {
		l := NewLine(row(c.goal, noisy, c.ours...))
		if got := l.Answer(); got != c.want {
			t.Errorf("%v against 10, at most %v: %q, want %q", c.ours, c.goal, got, c.want)
		}
	}
}

func TestAmountsAreJudged(t *testing.T) {
	for _, c := range []struct {
		ours float64
		want Answer
	}{{256.4, Met}, {257, Missed}} {
		r := row(0, []float64{10}, c.ours)
		r.Unit, r.Most = "B", 256
		l := NewLine(r)
		if got := l.Answer(); got != c.want {
			t.Errorf("%v B, at most 256: %q, want %q", c.ours, got, c.want)
		}
	}
}

// A base of which there is none, as of idle CPU, meets no goal by it.
func TestNothingIsNotMet(t *testing.T) {
	r := row(1, []float64{0}, 0)
	r.Figures[1].Ns = []float64{0}
	l := NewLine(r)
	if got := l.Answer(); got != Missed {
		t.Errorf("0 by 0 is %q, want %q", got, Missed)
	}
}

func TestAllocationsAreJudged(t *testing.T) {
	r := row(1, []float64{10, 10, 10}, 1, 1, 1)
	for _, c := range []struct {
		allocs float64
		want   string
	}{{0.001, "0"}, {0.5, "0.50 !"}, {2.001, "2.00 !"}} {
		r.Figures[0].Allocs = []float64{c.allocs, c.allocs, c.allocs}
		l := NewLine(r)
		if got := l.Cells()[0].Allocs; got != c.want {
			t.Errorf("%v allocations are shown as %q, want %q", c.allocs, got, c.want)
		}
	}
}

func TestClaimsAreJudged(t *testing.T) {
	same := []float64{10, 10, 10}
	good, bad := row(1, same, 5, 5, 5), row(1, same, 15, 15, 15)
	bad.Name = "8→8"
	claims := []measure.Claim{{Name: "plain", Mean: 0.8}, {Name: "other"}}
	for _, c := range []struct {
		rows       []measure.Row
		worst, all Answer
		mean       string
	}{
		{[]measure.Row{good}, Met, Met, "0.500"},
		{[]measure.Row{good, bad}, Missed, Missed, "0.866"},
		{[]measure.Row{good, good, good, bad}, Missed, Met, "0.658"},
	} {
		r := Record{Claims: claims, Rows: c.rows}
		v := r.Verdicts()
		if len(v) != 4 {
			t.Fatalf("%d verdicts %v, want one of each shape, of the mean, of the other claim, and of allocations", len(v), v)
		}
		if v[0].Answer != c.worst || v[1].Answer != c.all || v[1].Figure != c.mean || v[2].Answer != notRun || v[3].Answer != Met {
			t.Errorf("%d rows: %+v", len(c.rows), v)
		}
		if c.worst == Missed && (v[0].Figure != "1.500" || !strings.HasPrefix(v[0].Of, "8→8")) {
			t.Errorf("the worst of %d rows is %+v, want 1.500 of 8→8", len(c.rows), v[0])
		}
	}
}

func TestTheTableShowsEverybody(t *testing.T) {
	r := Record{
		About:  About{Rounds: 5},
		Claims: []measure.Claim{{Name: "plain"}},
		Rows:   []measure.Row{row(1, []float64{10, 10, 10}, 30, 30, 30)},
		Notes:  []string{"gone: it drops every second value."},
	}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1→1 (3 rounds)", "3.00", "MISSED", "other", "2.00", "p50 1.00, p99 2.00, p99.9 3.00", "gone", "cannot run: nobody has it", "- gone: it drops"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}
