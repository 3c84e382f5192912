//go:build !race

package handoff_test

import (
	"testing"

	"github.com/handoff-go/handoff"
)

// An operation that ends while it is started costs no memory but the value's own.
func TestAnOperationThatEndsAtOnceCostsNoMemory(t *testing.T) {
	one := []byte("12345678")
	*moodyMedium = moody{mood: func() int { return atOnce }, sent: func([]byte) {}, next: func() []byte { return one }}
	ch, err := handoff.Open[[8]byte](t.Context(), "moody:x")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	allocs := testing.AllocsPerRun(1000, func() {
		if ch.Send(ctx, [8]byte{}) != nil {
			t.Error("not sent")
		}
		if _, err := ch.Recv(ctx); err != nil {
			t.Error(err)
		}
	})
	// The value on either side, as a codec is given its address; what this medium
	// copies, and its own function, twice.
	if allocs > 5 {
		t.Errorf("%v allocations for a send and a receive", allocs)
	}
}
