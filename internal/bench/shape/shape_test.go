package shape

import (
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// Each shape ends, with one operation and with a number that does not divide
// evenly among its goroutines, and twice over on the same channel.
func TestEveryShapeEnds(t *testing.T) {
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
