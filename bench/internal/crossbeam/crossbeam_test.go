package crossbeam

import (
	"os/exec"
	"testing"

	"github.com/handoff-go/handoff/internal/bench/measure"
	"github.com/handoff-go/handoff/internal/bench/shape"
)

// Where cargo and the crate are, every pattern runs, and ends; elsewhere every
// row says why not.
func TestEveryPatternHasTheRival(t *testing.T) {
	shapes := shape.All()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	stop := Join(t.Context(), shapes)
	ran, reasons := 0, map[string]bool{}
	for _, s := range shapes {
		if _, ok := shape.PatternOf(s); !ok {
			continue
		}
		rival := s.Rivals[len(s.Rivals)-1]
		switch {
		case rival.Name != "crossbeam-channel":
			t.Errorf("%s: the last rival is %s", s.Name, rival.Name)
		case rival.Body == nil:
			reasons[rival.Why] = true
		default:
			work := rival.Body()
			for _, n := range []int{1, 203} {
				if got := work(n); got.Elapsed <= 0 || !got.Elsewhere {
					t.Errorf("%s: %d messages: %+v", s.Name, n, got)
				}
			}
			ran++
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	switch {
	case ran == 0 && len(reasons) == 1 && !reasons[""]:
		t.Skip("cannot run: ", reasons)
	case ran != 16 || len(reasons) > 0:
		t.Errorf("%d patterns ran, want 16; reasons %v", ran, reasons)
	}
}

func TestWithoutCargo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := exec.LookPath("cargo"); err == nil {
		t.Fatal("there is cargo on an empty path")
	}
	var chosen []*measure.Shape
	for _, s := range shape.All() {
		if _, ok := shape.PatternOf(s); ok {
			chosen = append(chosen, s)
		}
	}
	if err := Join(t.Context(), chosen)(); err != nil {
		t.Fatal(err)
	}
	for _, s := range chosen {
		if rival := s.Rivals[len(s.Rivals)-1]; rival.Body != nil || rival.Why == "" {
			t.Errorf("%s: %+v, want a reason", s.Name, rival)
		}
	}
}
