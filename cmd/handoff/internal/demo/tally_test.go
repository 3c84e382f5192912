package demo

import (
	"strings"
	"testing"
)

func found(no, attempt int, lines int64) result {
	return result{No: uint32(no), Worker: 1, Attempt: uint32(attempt), Counts: counts{Lines: lines}}
}

// The tally finds what the demo promises not to happen.
func TestTally(t *testing.T) {
	alone := []counts{{Lines: 1}, {Lines: 2}, {Lines: 3}}
	all := []result{found(0, 1, 1), found(1, 1, 2), found(2, 1, 3)}
	for _, c := range []struct {
		name    string
		results []result
		spoil   func(*tally)
		want    verdict
		against string
	}{
		{name: "all well", results: all},
		{name: "lost", results: all[:2], want: verdict{lost: 1}, against: "in sum"},
		{name: "came twice", results: append(all[:3:3], found(1, 2, 2)), want: verdict{repeated: 1, redelivered: 1}},
		{name: "third attempt", results: append(all[:2:2], found(2, 3, 3)), want: verdict{redelivered: 2}},
		{name: "wrong", results: append(all[:2:2], found(2, 1, 4)), against: "file 2"},
		{
			name: "entered twice", results: all, want: verdict{duplicated: 1}, against: "in sum",
			spoil: func(t *tally) { t.files[1].entered++; t.total.Lines += 2 },
		},
	} {
		y := newTally(len(alone))
		for _, r := range c.results {
			y.enter(r)
		}
		if c.spoil != nil {
			c.spoil(y)
		}
		if got := y.verdict(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if got := y.against(alone); (got == "") != (c.against == "") || !strings.Contains(got, c.against) {
			t.Errorf("%s: %q, want %q", c.name, got, c.against)
		}
	}
}

func TestTallyOddResults(t *testing.T) {
	y := newTally(1)
	y.enter(found(1, 1, 1))
	y.enter(found(0, 1, 1))
	y.enter(found(0, 2, 2))
	if y.strange != 1 || y.differ != 1 || y.counted != 1 || y.total.Lines != 1 {
		t.Errorf("%+v", y)
	}
}

// Each thing that may be wrong is said, and nothing else.
func TestWhy(t *testing.T) {
	well := Report{Killed: 1, Redelivered: 1, Repeated: 1, KillAt: KillBetween}
	for says, spoil := range map[string]func(*Report, *tally){
		"":                       func(*Report, *tally) {},
		"2 files were lost":      func(r *Report, _ *tally) { r.Lost = 2 },
		"entered the totals":     func(r *Report, _ *tally) { r.Duplicated = 1 },
		"belong to no file":      func(_ *Report, t *tally) { t.strange = 1 },
		"differ from an earlier": func(_ *Report, t *tally) { t.differ = 1 },
		"a single process":       func(_ *Report, t *tally) { t.total.Lines++ },
		"0 workers were killed":  func(r *Report, _ *tally) { r.Killed = 0 },
		"not handed out again":   func(r *Report, _ *tally) { r.Redelivered = 0 },
		"did not come again":     func(r *Report, _ *tally) { r.Repeated = 0 },
	} {
		d := &demo{tally: newTally(1)}
		d.tally.enter(found(0, 1, 1))
		r := well
		spoil(&r, d.tally)
		got := d.why(&r, []counts{{Lines: 1}})
		if (got == "") != (says == "") || !strings.Contains(got, says) {
			t.Errorf("%q, want %q", got, says)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestShown(t *testing.T) {
	for name, want := range map[string]string{"a/b c.go": "a/b c.go", "é.go": "é.go", "a\nb": `"a\nb"`, "a\x1b[2J": `"a\x1b[2J"`} {
		if got := shown(name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A report that is not ok says so at its end, whatever else it shows.
func TestTextOfFailure(t *testing.T) {
	r := &Report{Why: "2 files were lost", Lost: 2, Unparsed: 1, Unread: 2, Skipped: 1}
	text := r.text()
	for _, want := range []string{"1 file is not valid", "2 files could not be read", "1 folder could not", "\nNOT ok: 2 files were lost\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
