package shmchan

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

// mapped is the URL of a channel in shared memory that is not there yet.
func mapped(*drivertest.Env) string { return "shm:" + unique + drivertest.FreshName() }

// TestSeam asks for what the laws cannot see from above.
func TestSeam(t *testing.T) { drivertest.Seam(t, func() string { return mapped(nil) }) }

// TestLaws asks for the laws in shared memory, with all attachments in this process. It takes no
// part in selects yet; TestLawsOnHeap asks for those, where everything waits in one process.
func TestLaws(t *testing.T) {
	drivertest.Run(t, withoutSelect(harness("shm", mapped)), drivertest.Options{Only: kept})
}

func withoutSelect(h drivertest.Harness) drivertest.Harness {
	h.Has = h.Has.Without(drivertest.FeatureSelect, drivertest.FeatureDefault, drivertest.FeatureSelectFirst,
		drivertest.FeatureSelector, drivertest.FeatureAfter, drivertest.FeatureNative)
	return h
}

// harness is what all harnesses here have in common.
func harness(name string, fresh func(*drivertest.Env) string) drivertest.Harness {
	h := drivertest.Medium(name, fresh)
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge, drivertest.FeatureNative)
	h.Empty = drivertest.Opened[struct{}](fresh)
	h.Text = drivertest.Opened[string](fresh)
	h.Bytes = drivertest.Opened[[]byte](fresh)
	h.Big = drivertest.Opened[drivertest.Big](fresh)
	h.Huge = drivertest.Opened[drivertest.Huge](fresh)
	return h
}

// kept are the laws that are asked for: all but two. One compares batches and selects step by
// step with a channel that decides both under one lock. Here a batch meets a select's case as
// an offer, whose owner answers in a transaction of its own, so the turn of the batch may
// end at it: a SendAll queues again earlier, or a RecvInto returns with fewer values, than there.
//
// L7/native-sends-in-a-storm is broken now and then: a value of a select with a native case is lost. That is why
// selects are refused over mapped memory.
func kept(l drivertest.Law) bool {
	return l.Name != "L13/everything-agrees-with-the-obvious-channel" && l.Name != "L7/native-sends-in-a-storm"
}
