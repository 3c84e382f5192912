// Package mutants shows that the suite of package drivertest can fail.
//
// Its test changes one line of the shipped engine at a time, through the build
// overlay, so that no hook for it stands in the engine, and runs the suite on the
// result. A change that no law notices fails the test, and so does one whose old
// line is not found exactly once: the table follows the engine.
//
//	go test -run Mutant -v ./drivertest/mutants
package mutants
