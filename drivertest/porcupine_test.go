package drivertest_test

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/handoff-go/handoff/drivertest"
)

// linearizable is the history checker the suite is handed: porcupine, which no
// package outside of tests imports.
func linearizable(m drivertest.Model, history []drivertest.Call) error {
	model := porcupine.Model{Init: m.Init, Step: m.Step, Equal: m.Equal, DescribeOperation: m.Describe}
	ops := make([]porcupine.Operation, len(history))
	for i, c := range history {
		ops[i] = porcupine.Operation{ClientId: c.Client, Input: c.Input, Output: c.Output, Call: c.Begin, Return: c.End}
	}
	switch porcupine.CheckOperationsTimeout(model, ops, 20*time.Second) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return nil // too much at once for the time given: no verdict, and no accusation
	}
	text := "a history that no order of its calls explains:"
	for _, c := range history {
		text += fmt.Sprintf("\n\tclient %d, %d to %d: %s", c.Client, c.Begin, c.End, m.Describe(c.Input, c.Output))
	}
	return fmt.Errorf("%s", text)
}
