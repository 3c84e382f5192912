package drivertest

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// ear hears what a run reports.
type ear struct {
	testing.TB
	heard []string
}

func (e *ear) Error(args ...any) { e.heard = append(e.heard, fmt.Sprint(args...)) }

// TestTimedLaws: a law about time that is broken counts, unless the machine held
// the run up; and then too if it does so every time.
func TestTimedLaws(t *testing.T) {
	tests := []struct {
		name string
		run  func(e *Env, try int)
		runs int
		want []string
	}{
		{"kept", func(*Env, int) {}, 1, nil},
		{"broken", func(e *Env, _ int) { e.Errorf("one"); e.Fatalf("two"); e.Errorf("three") }, 1, []string{"one", "two"}},
		{"broken when held up", func(e *Env, try int) {
			if try == 1 {
				time.Sleep(2 * heldUp)
				e.Fatalf("late")
			}
		}, 2, nil},
		{"always late", func(e *Env, try int) { time.Sleep(2 * heldUp); e.Errorf("late %d", try) }, maxTimed, []string{fmt.Sprintf("late %d", maxTimed)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			runs := 0
			law := Law{Timed: true, Run: func(e *Env) { runs++; test.run(e, runs) }}
			e := &ear{TB: t}
			runTimed(e, func() *Env { return newEnv(t, Harness{}, law, Options{Limit: time.Minute}, claimsNone) })
			if runs != test.runs || !slices.Equal(e.heard, test.want) {
				t.Errorf("%d runs, heard %q; want %d and %q", runs, e.heard, test.runs, test.want)
			}
		})
	}
}
