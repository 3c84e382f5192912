package shmchan

import (
	"fmt"
	"os"
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

// unique tells the segments of this process from those of others.
var unique = fmt.Sprintf("test-%d-", os.Getpid())

// onHeap is the URL of a channel in the heap that is not there yet.
func onHeap(*drivertest.Env) string { return "shmheap:" + drivertest.FreshName() }

// TestSeamOnHeap asks for what the laws cannot see from above.
func TestSeamOnHeap(t *testing.T) { drivertest.Seam(t, func() string { return onHeap(nil) }) }

// TestLawsOnHeap asks for the laws over memory of this process, with all attachments in it.
func TestLawsOnHeap(t *testing.T) {
	h := harness("shmheap", onHeap)
	h.InBubble = true
	drivertest.Run(t, h, drivertest.Options{})
}
