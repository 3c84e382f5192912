package shmchan

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

// onHeap is the URL of a channel in the heap that is not there yet.
func onHeap(*drivertest.Env) string { return "shmheap:" + drivertest.FreshName() }

// TestSeamOnHeap asks for what the laws cannot see from above.
func TestSeamOnHeap(t *testing.T) { drivertest.Seam(t, func() string { return onHeap(nil) }) }

// TestLawsOnHeap asks for the laws over memory of this process, with all attachments in it.
func TestLawsOnHeap(t *testing.T) {
	h := drivertest.Medium("shmheap", onHeap)
	h.InBubble = true
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge).Without(
		drivertest.FeatureDeadLetter,
		drivertest.FeatureSelect, drivertest.FeatureDefault, drivertest.FeatureSelectFirst, drivertest.FeatureSelector, drivertest.FeatureAfter)
	h.Empty = drivertest.Opened[struct{}](onHeap)
	h.Text = drivertest.Opened[string](onHeap)
	h.Bytes = drivertest.Opened[[]byte](onHeap)
	h.Big = drivertest.Opened[drivertest.Big](onHeap)
	h.Huge = drivertest.Opened[drivertest.Huge](onHeap)
	drivertest.Run(t, h, drivertest.Options{})
}
