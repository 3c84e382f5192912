//go:build linux

package netchan_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

// TestFIFO: a named pipe leads to its home.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	l, err := hub.ListenPipe(path)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	ch, err := handoff.Open[int](t.Context(), "pipe:"+(&url.URL{Path: path}).EscapedPath()+"?chan=jobs&slots=1")
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); v != 5 || err != nil {
		t.Fatal(v, err)
	}
	h.Close(context.Background())
	if err := <-served; err != hub.ErrClosed {
		t.Error(err)
	}
	if err := ch.Send(t.Context(), 6); !errors.Is(err, handoff.ErrUnreachable) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("the hub has left %v", left)
	}
}

// TestInheritedPipes: two descriptors lead to their home, once.
func TestInheritedPipes(t *testing.T) {
	w := pipes(t)
	conn, err := hub.PipeConn(w.fromClient, w.toClient)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	served := make(chan error, 1)
	go func() { served <- h.ServeConn(conn) }()
	to := w.inherit(t)
	ch, err := handoff.Open[int](t.Context(), to+"&chan=jobs&slots=1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := handoff.Open[string](t.Context(), to+"&chan=more")
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Send(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if v, err := ch.Recv(t.Context()); v != 5 || err != nil {
		t.Fatal(v, err)
	}
	ch.Detach()
	other.Detach()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_, err = handoff.Open[int](t.Context(), to+"&chan=jobs")
	if !errors.Is(err, handoff.ErrUnreachable) || !strings.Contains(err.Error(), "cannot be opened again") {
		t.Errorf("opened again: %v", err)
	}
}
