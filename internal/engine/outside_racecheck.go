//go:build handoff_racecheck

package engine

// guesses is off where the race detector judges the engine itself.
const guesses = false
