package drivertest_test

import (
	"testing"

	"github.com/handoff-go/handoff/drivertest"
)

func TestMake(t *testing.T) { drivertest.Run(t, drivertest.Make(), drivertest.Options{}) }
func TestMem(t *testing.T)  { drivertest.Run(t, drivertest.Mem(), drivertest.Options{}) }
