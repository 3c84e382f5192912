//go:build handoff_portable || race || !(amd64 || arm64)

package park

import "sync/atomic"

// Store makes v the value of word as a release.
//
//go:norace
func Store(word *atomic.Uint32, v uint32) { word.Store(v) }
