package shmchan

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

// mapped is the URL of a channel in shared memory that is not there yet.
func mapped(*drivertest.Env) string { return "shm:" + unique + drivertest.FreshName() }

// TestSeam asks for what the laws cannot see from above.
func TestSeam(t *testing.T) { drivertest.Seam(t, func() string { return mapped(nil) }) }

// TestLaws asks for the laws in shared memory, with all attachments in this process.
func TestLaws(t *testing.T) {
	drivertest.Run(t, harness("shm", mapped), drivertest.Options{})
}

func withoutSelect(h drivertest.Harness) drivertest.Harness {
	h.Has = h.Has.Without(drivertest.FeatureSelect, drivertest.FeatureDefault, drivertest.FeatureSelectFirst,
		drivertest.FeatureSelector, drivertest.FeatureAfter, drivertest.FeatureNative)
	return h
}

// harness is what all harnesses here have in common. Channels of ints are small, as laws make
// ten thousand of them and all of their memory is reserved.
func harness(name string, url func(*drivertest.Env) string) drivertest.Harness {
	h := drivertest.Medium(name, func(e *drivertest.Env) string { return url(e) + "?pool=65536&waiters=256&members=16" })
	fresh := func(e *drivertest.Env) string { return url(e) + "?pool=1048576" }
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge, drivertest.FeatureNative)
	h.Asks = true
	h.Empty = drivertest.Opened[struct{}](fresh)
	h.Text = drivertest.Opened[string](fresh)
	h.Bytes = drivertest.Opened[[]byte](fresh)
	h.Big = drivertest.Opened[drivertest.Big](fresh)
	h.Huge = drivertest.Opened[drivertest.Huge](fresh)
	return h
}
