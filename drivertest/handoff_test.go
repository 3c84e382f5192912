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

func TestMem(t *testing.T) {
	drivertest.Run(t, drivertest.Mem(), drivertest.Options{Check: linearizable})
}
