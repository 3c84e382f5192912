package netchan_test

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

// spread runs the laws about selects with their channels in turn at each of over.
func spread(t *testing.T, name string, share int, over ...drivertest.Harness) {
	o := options(t, otherwise)
	o.Share = share
	listed := o.Only
	o.Only = func(l drivertest.Law) bool { return l.Selects() && listed(l) }
	drivertest.Run(t, drivertest.Spread(name, over...), o)
}

// TestLawsOverTwoHomes runs the laws about selects with every other channel at
// another home.
func TestLawsOverTwoHomes(t *testing.T) {
	_, one := serve(t, plenty)
	_, two := serve(t, plenty)
	spread(t, "two homes", 2, harnessAt("unix", one), harnessAt("unix", two))
}

// TestLawsOverAHomeAndThisProcess runs them with every other channel in this
// process.
func TestLawsOverAHomeAndThisProcess(t *testing.T) {
	_, at := serve(t, plenty)
	spread(t, "a home and this process", 2, drivertest.Mem(), harnessAt("unix", at))
}
