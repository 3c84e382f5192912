package netchan

import (
	"errors"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// TestCancelStopsAfter: a select whose home has its clock is cancelled, and what
// it had against being kept back does not stay behind until its time is over.
func TestCancelStopsAfter(t *testing.T) {
	at := &attachment{link: &link{out: wire.NewOutbox()}, cfg: driver.Config{CancelGrace: time.Hour}}
	after := time.AfterFunc(time.Hour, func() {})
	c := &call{at: at, kind: driver.OpSelect, op: driver.NewOp(driver.OpSelect, nil), sends: true, left: -1, grace: after}
	if ended := at.cancel(c, errors.New("given up")); ended != nil {
		t.Error("a select that may have sent ended before its home has answered")
	}
	defer c.stopTimer()
	if after.Stop() {
		t.Error("the timer of its After still runs")
	}
}
