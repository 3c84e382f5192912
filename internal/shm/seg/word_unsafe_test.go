//go:build linux

package seg

import (
	"sync/atomic"
	"unsafe"
)

// word returns a word of the memory, which begins at a page and is longer than
// that; the pointer is valid until the segment is closed.
func word(mem []byte, i int) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Pointer(&mem[:8*(i+1)][8*i]))
}
