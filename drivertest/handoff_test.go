package drivertest_test

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

func TestMake(t *testing.T) {
	drivertest.Run(t, drivertest.Make(), drivertest.Options{Check: linearizable})
}
func TestMem(t *testing.T) {
	drivertest.Run(t, drivertest.Mem(), drivertest.Options{Check: linearizable})
}
