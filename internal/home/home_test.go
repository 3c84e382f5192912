package home

import (
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// TestLapsedHoldsAreForgotten: who lets holds lapse does not fill the home.
func TestLapsedHoldsAreForgotten(t *testing.T) {
	ch, err := New(driver.Config{Name: "c", Slots: 1, MaxHold: time.Millisecond}, "here", nil)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := ch.Attach(driver.Config{Send: true, Receive: true})
	start(at, *sendOf("v"))
	for range 3 * minSweep {
		r := start(at, driver.Op{Kind: driver.OpTake, Max: 1})
		<-r.done
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	a := at.(*attachment)
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.holds); n > minSweep+1 {
		t.Errorf("%d holds are remembered of which one lives", n)
	}
}

// TestHoldIsKeptWhileItIsBuried: a hold whose value is just being rejected goes on
// if the dead letter has no room, whatever is taken or settled meanwhile.
func TestHoldIsKeptWhileItIsBuried(t *testing.T) {
	meanwhile := func() {}
	ch, err := New(driver.Config{Name: "c", Slots: 2 * minSweep}, "here", func(driver.Item, string, int) error {
		meanwhile()
		return fault.ErrFull
	})
	if err != nil {
		t.Fatal(err)
	}
	at, _ := ch.Attach(driver.Config{Send: true, Receive: true})
	do := func(op driver.Op, want error) *run {
		t.Helper()
		r := start(at, op)
		if <-r.done; r.Err != want {
			t.Fatalf("operation of kind %d ended with %v, want %v", op.Kind, r.Err, want)
		}
		return r
	}
	take := func() driver.Hold {
		do(*sendOf("v"), nil)
		return do(driver.Op{Kind: driver.OpTake, Max: 1}, nil).Got[0].Hold
	}

	held := take()
	meanwhile = func() { do(driver.Op{Kind: driver.OpExtend, Hold: held}, fault.ErrSettled) }
	do(driver.Op{Kind: driver.OpReject, Hold: held}, fault.ErrFull)
	do(driver.Op{Kind: driver.OpDone, Hold: held}, nil)

	held = take()
	meanwhile = func() {
		for range 2*minSweep - 1 {
			take()
		}
	}
	do(driver.Op{Kind: driver.OpReject, Hold: held}, fault.ErrFull)
	do(driver.Op{Kind: driver.OpDone, Hold: held}, nil)
}
