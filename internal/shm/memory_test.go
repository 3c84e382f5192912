package shm

import "testing"

// memory is that of a new segment for p.
func memory(t testing.TB, p Params) []uint64 {
	t.Helper()
	size, err := p.Size()
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, size/8)
	if err := Make(words, p); err != nil {
		t.Fatal(err)
	}
	return words
}
