//go:build !race && (amd64 || arm64)

package shm

// note writes a word of the member's own descriptor, or of a record on its stack. Who reads it was told by the
// head, which is swapped afterwards, or looks at the head again before it believes
// what it read. So no order is needed but that of the two, which the processor
// keeps: a store is not seen before a load that precedes it in program order and was
// ordered (the head was seen done), nor after a compare-and-swap that follows it.
// sync/atomic's store is a locked exchange on amd64, and there are 10 in an operation.
func (s *Segment) note(off uint32, v uint64) { s.words[off] = v }
