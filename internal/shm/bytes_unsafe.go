package shm

import "unsafe"

// bytesOf is the memory of words as bytes. The pointer is to the first of them and
// the length is theirs; no word holds a pointer, and words and bytes live as long as
// what either was made from.
func bytesOf(words []uint64) []byte {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}

// Words is mem as words: what is left over of the last is left out. A mapping begins
// at a page, so its words are aligned; ok is false for memory that is not. The words
// live as long as the mapping, which is not Go's: whoever unmaps it sees to it
// that nobody uses them any more.
func Words(mem []byte) (words []uint64, ok bool) {
	if len(mem) < 8 || uintptr(unsafe.Pointer(&mem[0]))%8 != 0 {
		return nil, false
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&mem[0])), len(mem)/8), true
}
