package cbor

import (
	"encoding/binary"
	"unicode/utf8"
)

// textIsUTF8 reports whether every text string in item is UTF-8. item is well
// formed and has no indefinite lengths; then the heads of all its items lie one
// behind the other, whatever is nested in what.
func textIsUTF8(item []byte) bool {
	const (
		byteString = 2
		textString = 3
	)
	for len(item) > 0 {
		major, n, head := item[0]>>5, uint64(item[0]&0x1f), 1
		switch n { // the argument follows in so many bytes
		case 24:
			n, head = uint64(item[1]), 2
		case 25:
			n, head = uint64(binary.BigEndian.Uint16(item[1:])), 3
		case 26:
			n, head = uint64(binary.BigEndian.Uint32(item[1:])), 5
		case 27:
			n, head = binary.BigEndian.Uint64(item[1:]), 9
		}
		item = item[head:]
		if major == textString && !utf8.Valid(item[:n]) {
			return false
		}
		if major == byteString || major == textString {
			item = item[n:]
		}
	}
	return true
}
