package netchan_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

// unixHarness is the suite's subject: channels at the home that serves path.
func unixHarness(name, path string) drivertest.Harness {
	h := drivertest.Medium(name, func(*drivertest.Env) string {
		return fmt.Sprintf("unix:%s?chan=%s", (&url.URL{Path: path}).EscapedPath(), drivertest.FreshName())
	})
	// A home's events are told where it is, under the name the channel has there.
	h.Has = h.Has.Without(drivertest.FeatureEvents)
	return h
}

// options leaves out what channels over a wire do otherwise, and says so.
func options(t *testing.T) drivertest.Options {
	return drivertest.Options{Only: func(l drivertest.Law) bool {
		why, not := otherwise[l.Name]
		if not {
			t.Logf("not for this medium: %s: %s", l.Name, why)
		}
		return !not
	}}
}

// otherwise are the laws that do not hold over a wire, with the reason.
var otherwise = map[string]string{
	"L3/batches-agree-with-the-obvious-channel": "a plain receive is confirmed when its home has heard of it, and a waiting SendAll offers " +
		"its next value only then, so that a RecvInto may find fewer values there than it would in one process",
}

// TestLaws runs the suite with the home in this process.
func TestLaws(t *testing.T) {
	_, path := serve(t, hub.Options{MaxAttachments: 1 << 20, MaxChannels: 1 << 20})
	drivertest.Run(t, unixHarness("unix", path), options(t))
}

// TestLawsOverProcesses runs the suite with the home in another process.
func TestLawsOverProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	child(t, "home", path)
	drivertest.Run(t, unixHarness("unix", path), options(t))
}

// TestSeam asks the medium to keep what the laws cannot see from above.
func TestSeam(t *testing.T) {
	_, path := serve(t, hub.Options{})
	drivertest.Seam(t, func() string {
		return fmt.Sprintf("unix:%s?chan=%s", (&url.URL{Path: path}).EscapedPath(), drivertest.FreshName())
	})
}
