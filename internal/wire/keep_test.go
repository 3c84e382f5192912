package wire

import (
	"bytes"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// TestLargeValuesAreNotCopied: a large value keeps the buffer it came in, which is then
// not used again, whatever comes behind it; a small one beside it does not.
func TestLargeValuesAreNotCopied(t *testing.T) {
	value := func(n int, fill byte) driver.Item { return driver.Item{Value: bytes.Repeat([]byte{fill}, n)} }
	var sent []driver.Item
	var stream []byte
	for i, n := range []int{100, readBytes - 100, readBytes, 3 * readBytes, 1 << 20, 10, 5 * readBytes} {
		f := Send{Channel: 1, Op: uint64(i), Items: []driver.Item{value(n, byte(i+1)), value(7, byte(i+101))}}
		sent, stream = append(sent, f.Items...), f.Append(stream)
	}
	r := NewReader(bytes.NewReader(stream), 2<<20)
	var kept []driver.Item
	for range len(sent) / 2 {
		h, body, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseSend(h, body)
		if err != nil {
			t.Fatal(err)
		}
		kept = Keep(kept, f.Items, r.Lasting())
		for i, it := range f.Items {
			same := &kept[len(kept)-2+i].Value[0] == &it.Value[0]
			if long := len(it.Value) >= readBytes; same != long {
				t.Errorf("a value of %d bytes: the buffer is kept: %v", len(it.Value), same)
			}
		}
	}
	for i := range sent {
		if !bytes.Equal(kept[i].Value, sent[i].Value) {
			t.Errorf("value %d of %d bytes has changed", i, len(sent[i].Value))
		}
	}
}
