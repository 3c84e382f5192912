package wire

import (
	"bytes"
	"errors"
	"testing"
)

// cutter takes so many bytes and then breaks.
type cutter struct{ left int }

func (c *cutter) Write(b []byte) (int, error) {
	n := min(len(b), c.left)
	c.left -= n
	if n < len(b) {
		return n, errors.New("cut")
	}
	return n, nil
}

// TestUnacknowledged: what the other side does not know begins with a frame,
// wherever its connections were cut, and however far it has received.
func TestUnacknowledged(t *testing.T) {
	var all []byte
	var ends []int
	for op := range uint64(5) {
		all = (&End{Channel: 1, Op: op, N: 1, Text: "why"}).Append(all)
		ends = append(ends, len(all))
	}
	for cut := range all {
		for theirs := 0; theirs <= cut; theirs++ {
			o := NewOutbox()
			o.Keep()
			o.End(append(o.Begin(), all...), false)
			if err := o.Run(&cutter{cut}); err == nil {
				t.Fatal("not cut")
			}
			if err := o.Rewind(uint64(theirs), 0); err != nil {
				t.Fatal(err)
			}
			whole := 0 // frames the other side has whole
			for whole < len(ends) && ends[whole] <= theirs {
				whole++
			}
			start := 0
			if whole > 0 {
				start = ends[whole-1]
			}
			if got := o.Unacknowledged(); !bytes.Equal(got, all[start:]) {
				t.Fatalf("cut at %d, received %d: %d bytes, want %d", cut, theirs, len(got), len(all)-start)
			}
			if n := len(Outcomes(o.Unacknowledged())); n != len(ends)-whole {
				t.Fatalf("cut at %d, received %d: %d outcomes", cut, theirs, n)
			}
		}
	}
}
