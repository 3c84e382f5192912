package netchan_test

import (
	"errors"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

// TestStopReachesSelect: a stop crosses the socket and joins a select with
// whatever else; the last receiver's leaving is one.
func TestStopReachesSelect(t *testing.T) {
	_, path := serve(t, hub.Options{})
	url := "unix:" + path + "?chan=jobs&slots=1"
	s, err := handoff.OpenSender[int](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	r, err := handoff.OpenReceiver[int](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	here := handoff.Make[int](1)
	why := ""
	sel := handoff.NewSelector(s.OnStop(func(reason string) { why = reason }), here.OnRecv(nil), handoff.After(time.Minute, nil))

	here.Send(t.Context(), 1)
	if i, err := sel.Select(t.Context()); i != 1 || err != nil {
		t.Fatalf("chose %d, %v before anybody asked to stop", i, err)
	}
	if err := r.Stop("enough"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it stays ready
		if i, err := sel.Select(t.Context()); i != 0 || err != nil || why != "enough" {
			t.Fatalf("chose %d, %v, reason %q", i, err, why)
		}
	}
	if err := s.Send(t.Context(), 7); err != nil {
		t.Fatal("a stop closes nothing:", err)
	}
}

func TestLastReceiverStops(t *testing.T) {
	_, path := serve(t, hub.Options{})
	url := "unix:" + path + "?chan=jobs"
	s, err := handoff.OpenSender[int](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	r, err := handoff.OpenReceiver[int](t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Detach(); err != nil {
		t.Fatal(err)
	}
	if i, err := handoff.Select(t.Context(), s.OnStop(nil)); i != 0 || err != nil {
		t.Fatal(i, err)
	}
}

// TestStopEndsWithItsAttachment: a select that waits for a stop does not outlive
// the attachment.
func TestStopEndsWithItsAttachment(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, err := handoff.OpenSender[int](t.Context(), "unix:"+path+"?chan=jobs")
	if err != nil {
		t.Fatal(err)
	}
	c := s.OnStop(nil)
	done := make(chan error, 1)
	go func() { _, err := handoff.Select(t.Context(), c); done <- err }()
	if err := s.Detach(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, handoff.ErrDetached) {
		t.Fatal(err)
	}
}
