package shape

import (
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/park"
)

// Each shape ends, with one operation and with a number that does not divide
// evenly among its goroutines, and twice over on the same channel.
func TestEveryShapeEnds(t *testing.T) {
	heapSize, restFor = 1<<20, time.Millisecond
	names := map[string]bool{}
	for _, s := range All() {
		full := s.Group + ": " + s.Name
		if names[full] {
			t.Errorf("two shapes are called %q", full)
		}
		names[full] = true
		for _, c := range s.Contenders() {
			t.Run(full+"/"+c.Name, func(t *testing.T) {
				if c.Body == nil {
					t.Skip(c.Why)
				}
				ends(t, c.Body)
			})
		}
	}
}

func ends(t *testing.T, b measure.Body) {
	done := make(chan struct{})
	go func() {
		work := b()
		for _, n := range []int{1, 203, 1} {
			work(n)
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("still not done after a minute")
	}
}

// Whatever is part of a claim has a goal, and every claim has shapes.
func TestEveryClaimHasShapesWithGoals(t *testing.T) {
	of := map[string]int{}
	for _, s := range All() {
		if of[s.Claim]++; s.Claim != "" && s.Goal == 0 && s.Most == 0 {
			t.Errorf("%s: %s is part of %q and has no goal", s.Group, s.Name, s.Claim)
		}
	}
	for _, c := range Claims() {
		if of[c.Name] == 0 && !(c.Name == claimParked && !park.Fast) && !(c.Name == claimCPU && !measure.KnowsCPU) {
			t.Errorf("no shape is part of %q", c.Name)
		}
		delete(of, c.Name)
	}
	delete(of, "")
	if len(of) > 0 {
		t.Errorf("shapes are part of what nobody claims: %v", of)
	}
}
