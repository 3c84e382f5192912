//go:build race || !(amd64 || arm64)

package shm

import "sync/atomic"

// note writes a word of the member's own descriptor, or of a record on its stack.
func (s *Segment) note(off uint32, v uint64) { atomic.StoreUint64(&s.words[off], v) }
