//go:build !handoff_portable && !race && (amd64 || arm64)

package park

import "sync/atomic"

// Store makes v the value of word as a release: everything the caller did before
// happens before anything done by who loads v, or swaps it, atomically.
//
// sync/atomic has only the sequentially consistent store, which on amd64 is a
// locked exchange and costs as much as taking a lock: 5 ns against 1. On amd64 a
// plain store is a release: stores become visible in program order, and none
// overtakes a load before it. On arm64 it is STLR. The compiler moves nothing
// across the call of a function it cannot see into, so this is assembly.
//
// What is lost is that a later load may be done before the store is seen. So it
// is for words whose reader needs nothing in return: to free a lock, where
// whoever looks at what it guards first takes it by a compare-and-swap, which is
// ordered against everything; or to give a record back. A word that one side
// stores before it loads another's, as tickets and doors have them, needs the
// full store.
//
//go:noescape
func Store(word *atomic.Uint32, v uint32)

// storeWord is Store of a word that holds an address.
//
//go:noescape
func storeWord(word *atomic.Uintptr, v uintptr)
