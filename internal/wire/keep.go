package wire

import "github.com/handoff-go/handoff/driver"

// roomBytes is how much memory small values share at most. One of them that lives
// long keeps so much alive.
const roomBytes = 8 << 10

// Keep adds items, whose values lie in a buffer that is used again, to kept, with
// their values in memory of their own. Small values share it. Values of lasting bytes
// and more have it already: see Reader.Lasting.
func Keep(kept, items []driver.Item, lasting int) []driver.Item {
	var room []byte
	for i, it := range items {
		n := len(it.Value)
		if n >= lasting {
			kept = append(kept, it)
			continue
		}
		if n > cap(room)-len(room) {
			room = make([]byte, 0, max(n, min(valueBytes(items[i:]), roomBytes)))
		}
		from := len(room)
		room = append(room, it.Value...)
		it.Value = room[from:len(room):len(room)]
		kept = append(kept, it)
	}
	return kept
}

// valueBytes counts the values of items until there are enough for a room.
func valueBytes(items []driver.Item) (n int) {
	for i := range items {
		if n += len(items[i].Value); n >= roomBytes {
			break
		}
	}
	return n
}
