//go:build !race

package drivertest

// raceEnabled says that the race detector makes everything slow, and that
// allocations are not the program's own.
const raceEnabled = false
