package mutants

import (
	"os"
	"testing"
	"time"

	"github.com/handoff-go/handoff/drivertest"
)

// subjectEnv says that this binary was built with a mutant in it.
const subjectEnv = "HANDOFF_MUTANT"

// TestSubject runs the suite against the engine this binary was built with. The
// test of the mutants runs it; by itself it would repeat what package drivertest
// does.
func TestSubject(t *testing.T) {
	if os.Getenv(subjectEnv) == "" {
		t.Skip("run by TestMutants, against a mutant")
	}
	const limit = 6 * time.Second // a mutant that hangs is to be found out soon
	t.Run("make", func(t *testing.T) {
		drivertest.Run(t, drivertest.Make(), drivertest.Options{Limit: limit})
	})
	t.Run("mem", func(t *testing.T) {
		drivertest.Run(t, drivertest.Mem(), drivertest.Options{Limit: limit, Only: needsAttachments})
	})
}

func needsAttachments(l drivertest.Law) bool {
	for _, f := range l.Needs {
		if f == drivertest.FeatureAttachments {
			return true
		}
	}
	return false
}
