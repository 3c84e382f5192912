package drivertest_test

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

func TestMake(t *testing.T) {
	h := drivertest.Make()
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge, drivertest.FeatureAny)
	h.Empty = drivertest.Made[struct{}]()
	h.Text = drivertest.Made[string]()
	h.Bytes = drivertest.Made[[]byte]()
	h.Big = drivertest.Made[drivertest.Big]()
	h.Huge = drivertest.Made[drivertest.Huge]()
	h.Any = drivertest.Made[any]()
	drivertest.Run(t, h, drivertest.Options{Check: linearizable})
}

// TestMakeParked runs the scripted laws outside of a bubble and with contexts
// that never end: there the engine waits in the runtime's own way.
func TestMakeParked(t *testing.T) {
	h := drivertest.Make()
	h.Name, h.InBubble = "make, parked", false
	drivertest.Run(t, h, drivertest.Options{Only: func(l drivertest.Law) bool { return !l.Storm && !aboutTime(l) }})
}

// aboutTime reports whether a law lets time pass, which costs it outside of a
// bubble.
func aboutTime(l drivertest.Law) bool {
	for _, f := range l.Needs {
		switch f {
		case drivertest.FeatureHoldTime, drivertest.FeatureSendTimeout, drivertest.FeatureAfter:
			return true
		}
	}
	return false
}

func TestMem(t *testing.T) {
	drivertest.Run(t, drivertest.Mem(), drivertest.Options{Check: linearizable})
}
