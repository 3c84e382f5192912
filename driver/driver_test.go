package driver_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

type none struct{}

func (none) Open(context.Context, *url.URL, driver.Config) (driver.Channel, error) {
	return nil, driver.Because(driver.ErrDenied, "not on a %s", "Monday")
}

func TestRegister(t *testing.T) {
	if _, ok := driver.Lookup("none"); ok {
		t.Fatal("it is there already")
	}
	driver.Register("none", none{})
	if m, ok := driver.Lookup("none"); !ok || m != (none{}) || !slices.Contains(driver.Schemes(), "none") {
		t.Errorf("%v, %v, %v", m, ok, driver.Schemes())
	}
	defer func() {
		if recover() == nil {
			t.Error("a scheme can be registered twice")
		}
	}()
	driver.Register("none", none{})
}

// TestErrors: what a medium says reaches the user with its reason.
func TestErrors(t *testing.T) {
	driver.Register("never", none{})
	_, err := handoff.Open[int](context.Background(), "never:mind")
	if !errors.Is(err, handoff.ErrDenied) || handoff.Reason(err) != "not on a Monday" {
		t.Errorf("%v, reason %q", err, handoff.Reason(err))
	}
	cause := errors.New("the cause")
	if err := driver.Doubtful(cause); !errors.Is(err, cause) || !errors.Is(err, handoff.ErrInDoubt) {
		t.Error(err)
	}
}

func TestEmit(t *testing.T) {
	var heard []handoff.Event
	stop := handoff.Events(func(e handoff.Event) { heard = append(heard, e) })
	driver.Emit(driver.Event{Kind: driver.EventDropped, Channel: "jobs"})
	stop()
	driver.Emit(driver.Event{Kind: driver.EventDropped, Channel: "late"})
	if len(heard) != 1 || heard[0].Kind != handoff.EventDropped || heard[0].Channel != "jobs" || heard[0].At.IsZero() {
		t.Errorf("%+v", heard)
	}
}
