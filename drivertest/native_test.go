package drivertest_test

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

func TestNative(t *testing.T) {
	drivertest.Run(t, drivertest.Native(), drivertest.Options{Check: linearizable})
}
