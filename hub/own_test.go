package hub_test

import (
	"context"
	"errors"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

// TestLawsOfTheHomeItself runs the suite over the channels of a home in this process,
// opened by their own URL.
func TestLawsOfTheHomeItself(t *testing.T) {
	h := hub.New(hub.Options{MaxChannels: 1 << 20})
	defer h.Close(context.Background())
	fresh := func(*drivertest.Env) string { return h.URL(drivertest.FreshName()) }
	subject := drivertest.Medium("home", fresh)
	subject.Has = subject.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge)
	subject.Empty = drivertest.Opened[struct{}](fresh)
	subject.Text = drivertest.Opened[string](fresh)
	subject.Bytes = drivertest.Opened[[]byte](fresh)
	subject.Big = drivertest.Opened[drivertest.Big](fresh)
	subject.Huge = drivertest.Opened[drivertest.Huge](fresh)
	drivertest.Run(t, subject, drivertest.Options{Share: 10})
}

func TestSeamOfTheHomeItself(t *testing.T) {
	h := hub.New(hub.Options{})
	defer h.Close(context.Background())
	drivertest.Seam(t, func() string { return h.URL(drivertest.FreshName()) })
}

func TestURLRefuses(t *testing.T) {
	h, other := hub.New(hub.Options{}), hub.New(hub.Options{})
	defer other.Close(context.Background())
	at := h.URL("jobs")
	open := func(url string) error {
		ch, err := handoff.Open[int](t.Context(), url)
		if err == nil {
			t.Cleanup(func() { ch.Detach() })
		}
		return err
	}
	if err := open(at + "?slots=2"); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]error{
		at + "?x=1":                      handoff.ErrConflict,
		h.URL(""):                        handoff.ErrConflict,
		"home:jobs":                      handoff.ErrConflict,
		"home:00/jobs":                   handoff.ErrUnreachable,
		at + "?slots=3":                  handoff.ErrConflict,
		h.URL("x") + "?deadletter=mem:y": handoff.ErrUnsupported,
		h.URL("x") + "?deadletter=" + other.URL("y"): handoff.ErrUnsupported,
	} {
		if err := open(url); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
	}
	if ch, err := handoff.Open[string](t.Context(), at); !errors.Is(err, handoff.ErrTypeMismatch) {
		t.Errorf("another type: %v %v", ch, err)
	}
	h.Close(context.Background())
	if err := open(at); !errors.Is(err, handoff.ErrUnreachable) {
		t.Errorf("after Close: %v", err)
	}
	if err := open(h.URL("jobs")); !errors.Is(err, handoff.ErrUnreachable) {
		t.Errorf("asked after Close: %v", err)
	}
}
