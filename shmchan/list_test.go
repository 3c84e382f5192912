package shmchan

import (
	"context"
	"errors"
	"net/url"
	"os"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

// find is what is said of the channel at rawURL.
func find(t *testing.T, rawURL string) (driver.Listed, error) {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	medium, _ := driver.Lookup("shm")
	return medium.(driver.Lister).Find(context.Background(), u)
}

// TestList: who has a channel open, and what is in it, can be seen without opening it.
func TestList(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if _, err := find(t, fresh(t)); !errors.Is(err, driver.ErrNotFound) {
		t.Fatalf("before it is there: %v", err)
	}
	ch, err := handoff.Open[int](ctx, fresh(t)+"?slots=2")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	ch.Send(ctx, 1)
	ch.Send(ctx, 2)
	if _, err := ch.Take(ctx); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error)
	go func() { sent <- ch.Send(ctx, 3) }()
	for ch.Stats().SendersWaiting == 0 {
	}
	cmd := child(t, "waiter", fresh(t)+"-other?slots=0")
	for range 2 { // looking changes nothing
		l, err := find(t, fresh(t))
		s := l.Stats
		if err != nil || l.Type == "" || s.Slots != 2 || s.Len != 1 || s.Held != 1 || s.SendersWaiting != 1 || s.Sent != 2 || s.Senders != 1 ||
			len(l.Attached) != 1 || l.Attached[0].Pid != os.Getpid() || !l.Attached[0].Send || !l.Attached[0].Receive {
			t.Errorf("%+v, %v", l, err)
		}
	}
	other, err := find(t, fresh(t)+"-other")
	if err != nil || other.Stats.ReceiversWaiting != 1 || len(other.Attached) != 1 || other.Attached[0].Pid != cmd.Process.Pid {
		t.Errorf("%+v, %v", other, err)
	}
	medium, _ := driver.Lookup("shm")
	all, err := medium.(driver.Lister).List(ctx, &url.URL{Scheme: "shm"})
	if err != nil {
		t.Fatal(err)
	}
	seen, last := 0, ""
	for _, l := range all {
		if l.Name <= last {
			t.Errorf("%q comes behind %q", l.Name, last)
		}
		if last = l.Name; "shm:"+l.Name == fresh(t) || "shm:"+l.Name == fresh(t)+"-other" {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("%d of two are in the list of %d", seen, len(all))
	}
	kill(t, cmd)
	if _, err := find(t, fresh(t)+"-other"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("a channel of the dead: %v", err)
	}
	if v, err := ch.Recv(ctx); v != 2 || err != nil {
		t.Error(v, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	ch.Detach()
	if _, err := find(t, fresh(t)); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
	for _, bad := range []string{"shm:x?what=1", "shm://host/x", "shm:fd=x"} {
		if _, err := find(t, bad); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", bad, err)
		}
	}
}

// TestListWhileInUse: what is seen is one state, however fast others change it.
func TestListWhileInUse(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	ch, err := handoff.OpenReceiver[[64]byte](ctx, fresh(t)+"?slots=4")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	child(t, "source", fresh(t))
	var was uint64
	for range 2000 {
		if _, err := ch.Recv(ctx); err != nil {
			t.Fatal(err)
		}
		l, err := find(t, fresh(t))
		if errors.Is(err, driver.ErrContended) {
			continue
		}
		s := l.Stats
		if err != nil || s.Len > 4 || s.Sent-s.Received != uint64(s.Len+s.Held) || s.Received < was {
			t.Fatalf("%+v, %v", l, err)
		}
		was = s.Received
	}
	if was == 0 {
		t.Error("it was never seen")
	}
}
