//go:build !handoff_racecheck

package engine

// guesses says whether hints may read what a lock guards without it. It is a race
// by the letter, on words that are read whole, and nothing but speed hangs on it.
const guesses = true
