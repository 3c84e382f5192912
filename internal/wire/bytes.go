package wire

import (
	"encoding/binary"
	"maps"
	"slices"
	"unicode/utf8"
)

// begin adds the head of a frame to b. The length is not known yet; finish sets
// it, given what begin returned.
func begin(b []byte, t Type, flags uint8) ([]byte, int) {
	start := len(b)
	return append(b, 0, 0, 0, 0, byte(t), flags, 0, 0), start
}

// finish sets the length of the frame that starts at start and ends with b.
func finish(b []byte, start int) []byte {
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-HeaderLength))
	return b
}

func appendU16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func appendU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

// appendStr adds a str. It is at most 65,535 bytes by the checks of whoever
// filled the frame; text is cut by cut.
func appendStr(b []byte, s string) []byte {
	return append(appendU16(b, uint16(len(s))), s...)
}

// cut returns s, not longer than MaxText and still UTF-8 if it was.
func cut(s string) string { return cutTo(s, MaxText) }

// greeting is cut for the frames of a handshake, which have to be short.
func greeting(s string) string { return cutTo(s, MaxGreeting) }

func cutTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := most
	for n > most-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// appendHeaders adds the headers of a value, sorted so that one value has one
// form.
func appendHeaders(b []byte, h map[string]string) []byte {
	b = appendU16(b, uint16(len(h)))
	if len(h) == 0 {
		return b
	}
	for _, k := range slices.Sorted(maps.Keys(h)) {
		b = appendStr(appendStr(b, k), h[k])
	}
	return b
}

func headersLength(h map[string]string) int {
	n := 2
	if len(h) == 0 {
		return n
	}
	for k, v := range h {
		n += 4 + len(k) + len(v)
	}
	return n
}

// HeadersFit reports whether the headers of one value are within the limits.
func HeadersFit(h map[string]string) bool {
	return len(h) <= MaxHeaders && headersLength(h)-2-4*len(h) <= MaxHeaderBytes
}

func appendBlob(b, v []byte) []byte {
	return append(appendU32(b, uint32(len(v))), v...)
}

// cursor reads a body from its front. The first thing that does not fit makes
// it fail for good, so that a parser checks once, at its end.
type cursor struct {
	b   []byte
	bad bool
}

// next returns the next n bytes, or nil if there are not that many.
func (c *cursor) next(n int) []byte {
	if c.bad || n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) u8() uint8 {
	if b := c.next(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.next(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.next(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.next(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) id() (id [16]byte) {
	copy(id[:], c.next(16))
	return id
}

func (c *cursor) str() string { return string(c.next(int(c.u16()))) }

// text is a str of at most MaxText bytes.
func (c *cursor) text() string {
	n := int(c.u16())
	if n > MaxText {
		c.bad = true
		return ""
	}
	return string(c.next(n))
}

func (c *cursor) blob() []byte {
	n := c.u32()
	if uint64(n) > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	return c.next(int(n))
}

// headers reads the headers of a value, nil if there are none.
func (c *cursor) headers() map[string]string {
	n := int(c.u16())
	if n == 0 || c.bad {
		return nil
	}
	if n > MaxHeaders || 4*n > len(c.b) {
		c.bad = true
		return nil
	}
	h := make(map[string]string, n)
	for range n {
		k := c.str()
		h[k] = c.str()
	}
	if c.bad || len(h) != n || !HeadersFit(h) {
		c.bad = true
		return nil
	}
	return h
}

// count reads the number of elements that follow, each of at least size bytes.
func (c *cursor) count(size int) int {
	n := c.u32()
	if uint64(n)*uint64(size) > uint64(len(c.b)) {
		c.bad = true
		return 0
	}
	return int(n)
}

// end reports whether the body was read exactly to its end.
func (c *cursor) end(t Type) error {
	switch {
	case c.bad:
		return broken("%v: the body is broken", t)
	case len(c.b) != 0:
		return broken("%v: %d bytes too many", t, len(c.b))
	}
	return nil
}

// flags refuses flags beyond known.
func flags(h Header, known uint8) error {
	if h.Flags&^known != 0 {
		return broken("%v: unknown flags 0x%02x", h.Type, h.Flags&^known)
	}
	return nil
}
