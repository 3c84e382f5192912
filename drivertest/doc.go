// Package drivertest is the judge: the laws of handoff as named, executable
// rules that anything which fills a [Harness] must keep.
//
// The suite runs first against Go's own channels, through the adapter [Native],
// so that the suite itself is proven; then against the engine in this process;
// then against every medium. A law that needs a [Feature] the subject does not
// declare is refused by name in the test's output, never skipped in silence.
//
//	func TestLaws(t *testing.T) {
//		drivertest.Run(t, drivertest.Medium("unix", freshURL), drivertest.Options{})
//	}
//
// [Seam] asks a medium for what no law can see from above. docs/medium.md says how
// to write a medium with this package as the judge.
//
// # Two kinds of laws
//
// Scripted laws say exactly what is blocked and what is done after each step.
// In this process they run inside a testing/synctest bubble, where "blocked" is
// a fact and time is virtual; elsewhere the suite waits until the channel's own
// figures say that every unfinished operation is waiting. Storms run operations
// truly at once and check what must hold whatever the schedule was.
//
// # The fake remote claimant
//
// Every law that selects runs three times: as written, with a claimant beside
// the cases that claims the ticket for about a millisecond and releases it, and
// with one that sometimes confirms, after which the select is done again. A home
// of another process does exactly this, and the laws must not change.
//
// # Seeds
//
// Whatever is random comes from one seed, which is printed and accepted by
// -drivertest.seed or HANDOFF_SEED.
package drivertest
