package engine

import (
	"testing"
	"unsafe"
)

// A million parked operations are a million records.
func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the figures are those of 64 bits")
	}
	if size := unsafe.Sizeof(waiter[int]{}); size > 128 {
		t.Errorf("the record of a parked operation takes %d bytes, more than 128", size)
	}
	if size := unsafe.Sizeof(Chan[int]{}); size > 256 {
		t.Errorf("a channel takes %d bytes, more than 256", size)
	}
}
