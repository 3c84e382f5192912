package seg

import (
	"errors"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/fault"
)

// Where there is no shared memory the refusal names the system, and what there is instead.
func TestUnsupportedNamesTheSystem(t *testing.T) {
	for goos, instead := range map[string]string{"darwin": "pipe:", "windows": "tcp:"} {
		err := unsupportedOn(goos)
		if !errors.Is(err, fault.ErrUnsupported) || !strings.Contains(err.Error(), "shared memory on "+goos) || !strings.Contains(err.Error(), instead) {
			t.Errorf("on %s: %v", goos, err)
		}
	}
}
