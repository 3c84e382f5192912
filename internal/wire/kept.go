package wire

import "slices"

// The parts of what is kept. Short writes are copied together, of long ones their own
// buffers are kept. The buffer of a write has to grow anew where it was kept itself,
// which costs more than a copy of a short one.
const (
	partBytes = 16 << 10
	longWrite = 64 << 10
)

// kept is a queue of bytes.
type kept struct {
	parts [][]byte // none is empty
	off   int      // the bytes of the first before it are gone
	n     int
	open  bool   // the last has room for more
	spare []byte // one that is free
}

func (k *kept) length() int { return k.n }

// bytes returns all of them, in memory of its own.
func (k *kept) bytes() []byte {
	if k.n == 0 {
		return nil
	}
	return slices.Concat(k.parts...)[k.off:]
}

// add adds b at the end. It reports whether b itself is kept, else it was copied.
func (k *kept) add(b []byte) (itself bool) {
	k.n += len(b)
	if len(b) >= longWrite {
		k.parts, k.open = append(k.parts, b), false
		return true
	}
	for len(b) > 0 {
		if !k.open {
			part := k.spare
			if k.spare = nil; part == nil {
				part = make([]byte, 0, partBytes)
			}
			k.parts, k.open = append(k.parts, part), true
		}
		last := &k.parts[len(k.parts)-1]
		n := min(len(b), cap(*last)-len(*last))
		*last, b = append(*last, b[:n]...), b[n:]
		k.open = len(*last) < cap(*last)
	}
	return false
}

// drop takes the first n bytes away. It returns a buffer that was kept itself and is
// not any more, if there is one, empty.
func (k *kept) drop(n int) (free []byte) {
	k.n -= n
	k.off += n
	gone := 0
	for gone < len(k.parts) && k.off >= len(k.parts[gone]) {
		part := k.parts[gone]
		k.off -= len(part)
		if cap(part) == partBytes {
			k.spare = part[:0]
		} else {
			free = part[:0]
		}
		gone++
	}
	if gone > 0 {
		k.parts = slices.Delete(k.parts, 0, gone)
		k.open = k.open && len(k.parts) > 0
	}
	return free
}

// cut takes the last n bytes away.
func (k *kept) cut(n int) {
	k.n -= n
	for n > 0 {
		last := &k.parts[len(k.parts)-1]
		if n < len(*last) {
			*last = (*last)[:len(*last)-n]
			k.open = false
			return
		}
		n -= len(*last)
		k.parts, k.open = k.parts[:len(k.parts)-1], false
	}
	if len(k.parts) == 0 {
		k.off = 0
	}
}

// reset takes all bytes away.
func (k *kept) reset() { *k = kept{} }
