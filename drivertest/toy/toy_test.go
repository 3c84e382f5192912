package toy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	_ "github.com/handoff-go/handoff/drivertest/toy"
)

// fresh is the URL of a channel that is not there yet.
func fresh(*drivertest.Env) string { return "toy:" + drivertest.FreshName() }

// TestLaws asks the toy to keep every law it declares.
func TestLaws(t *testing.T) {
	h := drivertest.Medium("toy", fresh)
	h.InBubble = true // nothing outside this process decides, and no wait is the kernel's
	h.Has = h.Has.With(drivertest.FeaturePayloads, drivertest.FeatureHuge).Without(
		drivertest.FeatureHoldTime, drivertest.FeatureDeadLetter,
		drivertest.FeatureSelect, drivertest.FeatureDefault, drivertest.FeatureSelectFirst, drivertest.FeatureSelector, drivertest.FeatureAfter)
	h.Empty = drivertest.Opened[struct{}](fresh)
	h.Text = drivertest.Opened[string](fresh)
	h.Bytes = drivertest.Opened[[]byte](fresh)
	h.Big = drivertest.Opened[drivertest.Big](fresh)
	h.Huge = drivertest.Opened[drivertest.Huge](fresh)
	drivertest.Run(t, h, drivertest.Options{})
}

// TestRefusals: what the toy cannot do it refuses when it is asked for.
func TestRefusals(t *testing.T) {
	ctx := context.Background()
	ch, err := handoff.Open[int](ctx, "toy:jobs?slots=1&maxvalue=100")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	for url, want := range map[string]error{
		"toy:":                     handoff.ErrConflict,
		"toy://host/jobs":          handoff.ErrConflict,
		"toy:jobs?colour=red":      handoff.ErrConflict,
		"toy:jobs?slots=2":         handoff.ErrConflict,
		"toy:jobs?maxvalue=99":     handoff.ErrConflict,
		"toy:jobs?autoclose=true":  handoff.ErrConflict,
		"toy:jobs?create=new":      handoff.ErrConflict,
		"toy:other?create=no":      handoff.ErrNotFound,
		"toy:jobs?codec=json":      handoff.ErrTypeMismatch,
		"toy:jobs?maxhold=1s":      handoff.ErrUnsupported,
		"toy:jobs?maxattempts=3":   handoff.ErrUnsupported,
		"toy:jobs?deadletter=mem:": handoff.ErrUnsupported,
		"toy:jobs?slots=1":         nil,
	} {
		again, err := handoff.Open[int](ctx, url)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
		if err == nil {
			again.Detach()
		}
	}
	if _, err := handoff.Select(ctx, ch.OnSend(1, nil), ch.OnRecv(nil)); !errors.Is(err, handoff.ErrUnsupported) {
		t.Errorf("a select over two cases: %v", err)
	}
	if err := ch.Send(ctx, 1); err != nil {
		t.Error(err)
	}
	d, err := ch.Take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Extend(1); !errors.Is(err, handoff.ErrUnsupported) {
		t.Errorf("Extend: %v", err)
	}
	if err := d.ReturnAfter(1); !errors.Is(err, handoff.ErrUnsupported) {
		t.Errorf("ReturnAfter: %v", err)
	}
	if err := d.Done(); err != nil {
		t.Errorf("Done, after what was refused: %v", err)
	}
}

// TestStop: the suite's laws about stops select over channels, which a toy cannot;
// a stop alone it can wait for, beside a timer and what belongs to this process.
func TestStop(t *testing.T) {
	ctx := context.Background()
	ch, err := handoff.Open[int](ctx, "toy:stopped?slots=1")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	var reason string
	stopped := ch.OnStop(func(why string) { reason = why })
	early := make(chan error, 1)
	go func() {
		_, err := handoff.Select(ctx, stopped)
		early <- err
	}()
	for _, why := range []string{"enough", "more than enough"} {
		if err := ch.Stop(why); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-early; err != nil || reason != "enough" {
		t.Errorf("who waited: %q, %v", reason, err)
	}
	reason = ""
	if _, err := handoff.Select(ctx, handoff.After(time.Hour, nil), stopped); err != nil || reason != "enough" {
		t.Errorf("who came later: %q, %v", reason, err)
	}
	if err := ch.Send(ctx, 1); err != nil {
		t.Errorf("a stop closes nothing: %v", err)
	}
	ch.Close()
	if err := ch.Stop("again"); !errors.Is(err, handoff.ErrClosed) {
		t.Errorf("a stop of a closed channel: %v", err)
	}
}

// TestAlone: one case on a medium without select, beside timers and a default, is
// that operation.
func TestAlone(t *testing.T) {
	ctx := context.Background()
	ch, err := handoff.Open[int](ctx, "toy:alone?slots=1")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	got := 0
	recv := ch.OnRecv(func(v int, ok bool) { got = v })
	choose := func(want int, cases ...handoff.Case) {
		t.Helper()
		if i, err := handoff.Select(ctx, cases...); i != want || err != nil {
			t.Errorf("chose %d, %v; want %d", i, err, want)
		}
	}
	hour, soon := handoff.After(time.Hour, nil), handoff.After(time.Millisecond, nil)
	choose(1, recv, handoff.Default(nil))
	choose(2, hour, recv, soon)
	choose(0, ch.OnSend(7, nil), hour, handoff.Case{})
	choose(2, hour, ch.OnSend(8, nil), handoff.Default(nil))
	if choose(0, recv, handoff.Default(nil)); got != 7 {
		t.Errorf("got %d", got)
	}
	ended, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Millisecond, cancel)
	if i, err := handoff.Select(ended, recv, hour); i != -1 || !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %d, %v", i, err)
	}
	var chosen [2]int
	for range 200 {
		ch.TrySend(9)
		i, err := handoff.Select(ctx, recv, handoff.After(0, nil))
		if err != nil {
			t.Fatal(err)
		}
		chosen[i]++
	}
	if chosen[0] < 40 || chosen[1] < 40 {
		t.Errorf("of two that were ready: %d and %d of 200", chosen[0], chosen[1])
	}
	ch.TryRecv()
	for range 20 {
		choose(1, recv, handoff.After(0, nil))
	}
	choose(1, hour, ch.OnSend(1, nil))
	if i, err := handoff.SelectFirst(ctx, recv, handoff.After(0, nil)); i != 0 || err != nil {
		t.Errorf("first: %d, %v", i, err)
	}
	if i, err := handoff.SelectFirst(ctx, handoff.After(0, nil), recv); i != 0 || err != nil {
		t.Errorf("first: %d, %v", i, err)
	}
	ch.Close()
	choose(0, recv, hour)
	if i, err := handoff.Select(ctx, ch.OnSend(1, nil), hour); i != 0 || !errors.Is(err, handoff.ErrClosed) {
		t.Errorf("a send on a closed channel: %d, %v", i, err)
	}
}

// TestSeam asks the toy to keep what the laws cannot see from above.
func TestSeam(t *testing.T) { drivertest.Seam(t, func() string { return fresh(nil) }) }
