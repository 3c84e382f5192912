package between

import (
	"sync/atomic"
	"unsafe"
)

// wordAt returns a word of mapped memory: at is a multiple of 8 below its length,
// which begins at a page. The pointer is valid as long as the memory is mapped, and
// that is until the process ends.
func wordAt(mem []byte, at int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&mem[at : at+8][0]))
}
