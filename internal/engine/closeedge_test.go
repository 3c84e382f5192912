package engine

import (
	"testing"

	"github.com/handoff-go/handoff/internal/ticket"
)

// A sender that was claimed by a home when its channel was closed is over, and no
// receive of many may have its value.
func TestClosedIsDrainedByNobody(t *testing.T) {
	for range 50 {
		c := New[int](Config{}, nil)
		a := c.Attach(true, true)
		v := 7
		x := NewAsyncSelect([]Case{&SendCase[int]{C: c, A: a, V: &v}}, func() {})
		x.Begin(false)
		if x.s.tk.Reserve() != ticket.Won {
			t.Fatal("it is not there to be claimed")
		}
		x.s.tk.Notify = func() {} // its owner is slow
		c.Close(a)
		x.s.tk.Release()
		buf := make([]int, 2)
		c.lockWide()
		var o after[int]
		n, _ := c.pullMany(buf, &o)
		c.unlock(&o)
		if n > 0 {
			t.Fatalf("received %d after the close", buf[0])
		}
	}
}
