package handoff_test

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// weak is a medium that can do nothing but send and receive over slots. Its host
// is how many; whatever else reaches it is an error of the test.
type weak struct{ open int }

func (w *weak) Open(_ context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	slots, err := strconv.Atoi(u.Opaque)
	w.open++
	return &weakChannel{w, slots}, err
}

type weakChannel struct {
	w     *weak
	slots int
}

func (c *weakChannel) Info() driver.Info            { return driver.Info{Name: "weak", Slots: c.slots} }
func (c *weakChannel) Start(op *driver.Op)          { op.Err = errors.New("it reached the medium"); op.Finish() }
func (c *weakChannel) Cancel(*driver.Op, error)     {}
func (c *weakChannel) Stats() driver.Stats          { return driver.Stats{} }
func (c *weakChannel) Detach(context.Context) error { c.w.open--; return nil }

// TestWhatAMediumLacks: what a medium says it cannot do is refused before it is
// asked, at open where that is known there.
func TestWhatAMediumLacks(t *testing.T) {
	ctx := context.Background()
	w := &weak{}
	driver.Register("weak", w)
	for _, c := range []struct{ url, says string }{
		{"weak:0", "without slots"},
		{"weak:1?deadletter=mem:dead", "dead letter"},
	} {
		_, err := handoff.Open[int](ctx, c.url)
		if !errors.Is(err, handoff.ErrUnsupported) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.url, err)
		}
		if w.open != 0 {
			t.Errorf("%s: it is still attached", c.url)
		}
	}
	ch, err := handoff.Open[int](ctx, "weak:1")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	_, take := ch.Take(ctx)
	_, into := ch.TakeInto(ctx, make([]handoff.Delivery[int], 2))
	_, sel := handoff.Select(ctx, ch.OnTake(nil), ch.OnSend(1, nil))
	_, stopped := handoff.Select(ctx, ch.OnStop(nil))
	for what, err := range map[string]error{
		"Take": take, "TakeInto": into, "Stop": ch.Stop("enough"), "a select": sel, "OnStop": stopped,
	} {
		if !errors.Is(err, handoff.ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
