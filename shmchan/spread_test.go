package shmchan

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
	_ "github.com/handoff-go/handoff/netchan"
)

// spread runs the laws about selects with their channels in turn at each of over.
func spread(t *testing.T, name string, over ...drivertest.Harness) {
	drivertest.Run(t, drivertest.Spread(name, over...), drivertest.Options{Share: 2, Only: drivertest.Law.Selects})
}

// TestLawsOverMemoryAndThisProcess runs them with every other channel in this process.
func TestLawsOverMemoryAndThisProcess(t *testing.T) {
	spread(t, "shared memory and this process", drivertest.Mem(), harness("shm", mapped))
}

// TestLawsOverMemoryAndAHome runs them with every other channel behind a socket.
func TestLawsOverMemoryAndAHome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home")
	l, err := hub.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{MaxAttachments: 1 << 20, MaxChannels: 1 << 20})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		h.Close(ctx) // a law may leave values behind
		if err := <-served; err != hub.ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	keep, err := handoff.Open[int](t.Context(), "unix:"+path+"?chan=keep") // and with it the link
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keep.Detach() })
	unix := drivertest.Medium("unix", func(*drivertest.Env) string { return "unix:" + path + "?chan=" + drivertest.FreshName() })
	// A home's events are told where it is.
	unix.Has = unix.Has.Without(drivertest.FeatureEvents).With(drivertest.FeatureNative)
	spread(t, "shared memory and a home", harness("shm", mapped), unix)
}
