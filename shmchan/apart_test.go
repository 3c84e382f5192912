package shmchan

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/internal/apart"
	"github.com/handoff-go/handoff/internal/testproc"
)

// ownedBy is where this process, and the child that receives, find the channels of the parent process.
func ownedBy(name string) string { return "shmowned:" + name }

// TestLawsInTwoProcesses asks for the laws with sender and receiver in processes of their own. A native
// case is of one process, and what happened is told in the process that found it.
func TestLawsInTwoProcesses(t *testing.T) {
	c := apart.New(t, ownedBy, "receiver", "", testproc.Options{})
	h := harness("shm, two processes", func(*drivertest.Env) string { return c.URL(unique + drivertest.FreshName()) })
	h.Several = true
	h.Has = h.Has.Without(drivertest.FeatureNative, drivertest.FeatureEvents)
	drivertest.Run(t, h, drivertest.Options{Share: 20})
}
