package shmchan

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/shm"
	"github.com/handoff-go/handoff/internal/shm/seg"
	"github.com/handoff-go/handoff/internal/testproc"
)

func init() {
	// heir sends fifty quotes into what it has inherited.
	roles["heir"] = func(url string) {
		out, err := handoff.OpenSender[quote](context.Background(), url)
		must(err)
		for i := range 50 {
			must(out.Send(context.Background(), quoteOf(i)))
		}
		must(out.Detach())
	}
	// heir that holds takes a quote, and keeps it.
	roles["heir that holds"] = func(url string) {
		in, err := handoff.OpenReceiver[quote](context.Background(), url)
		must(err)
		_, err = in.Take(context.Background())
		must(err)
	}
}

// made is a channel without a name, and its URL in this process.
func made(t *testing.T, query string) (*os.File, string) {
	t.Helper()
	f, err := File[quote](query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, fmt.Sprintf("shm:fd=%d", f.Fd())
}

// TestFile: all that open a descriptor have the same channel, in this process and in those that inherit it.
func TestFile(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	f, url := made(t, "slots=8&maxattempts=3")
	a, err := handoff.Open[quote](ctx, url+"?slots=8")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Detach()
	b, err := handoff.Open[quote](ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Detach()
	if err := a.Send(ctx, quoteOf(1)); err != nil {
		t.Fatal(err)
	}
	if q, err := b.Recv(ctx); q != quoteOf(1) || err != nil {
		t.Errorf("received %+v, %v by the other attachment", q, err)
	}
	if st := a.Stats(); st.Senders != 2 || st.Slots != 8 {
		t.Errorf("%+v, want two senders and eight slots", st)
	}
	arrived := make(chan int)
	go func() {
		n := 0
		for ; n < 100; n++ {
			if _, err := b.Recv(ctx); err != nil {
				break
			}
		}
		arrived <- n
	}()
	for range 2 {
		testproc.Child(t, "heir", "shm:fd=3", testproc.Options{Files: []*os.File{f}})
	}
	if n := <-arrived; n != 100 {
		t.Errorf("%d quotes of 100 arrived", n)
	}
	if l, err := find(t, url); err != nil || l.Stats.Received != 101 || len(l.Attached) != 2 {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestFileHolderDies: what a killed heir held comes again.
func TestFileHolderDies(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	f, url := made(t, "slots=2")
	ch, err := handoff.Open[quote](ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	ch.Send(ctx, quoteOf(7))
	kill(t, testproc.Child(t, "heir that holds", "shm:fd=3", testproc.Options{Files: []*os.File{f}}))
	if d, err := ch.Take(ctx); err != nil || d.Value != quoteOf(7) || d.Attempt != 2 {
		t.Errorf("took %+v, %v, want the value for the second time", d, err)
	}
}

// TestFileEnds: a channel without a name ends with its last attachment, and says so.
func TestFileEnds(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	_, url := made(t, "slots=2")
	ch, err := handoff.Open[quote](ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	ch.Detach()
	if _, err := handoff.Open[quote](ctx, url); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("opened after its end: %v, want ErrNotFound", err)
	}
	if _, err := find(t, url); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("found after its end: %v", err)
	}
}

// TestFileRefused: what File or the opener of a descriptor cannot do is refused by name.
func TestFileRefused(t *testing.T) {
	ctx := context.Background()
	for query, want := range map[string]error{
		"": driver.ErrConflict, "slots=-1": driver.ErrConflict, "slots=x": driver.ErrConflict, "slots=1&slots=2": driver.ErrConflict,
		"slots=1&deadletter=shm:x": driver.ErrConflict, "slots=1&what=1": driver.ErrConflict, "slots=1&maxhold=-1s": driver.ErrConflict,
		"slots=1&waiters=0": driver.ErrConflict, "%": driver.ErrConflict, "slots=1&codec=gob": driver.ErrUnsupported,
		"slots=999999999": driver.ErrUnsupported,
	} {
		if f, err := File[quote](query); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v, want %v", query, f, err, want)
		}
	}
	if _, err := File[chan int]("slots=1"); !errors.Is(err, driver.ErrUnsupported) {
		t.Errorf("a channel of channels: %v", err)
	}
	_, url := made(t, "slots=1")
	for open, want := range map[string]error{
		url + "?slots=2": driver.ErrConflict, url + "?create=new": driver.ErrConflict, "shm:fd=999": driver.ErrNotFound,
	} {
		if _, err := handoff.Open[quote](ctx, open); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", open, err, want)
		}
	}
	if _, err := handoff.Open[int](ctx, url); !errors.Is(err, driver.ErrTypeMismatch) {
		t.Errorf("another type: %v", err)
	}
	// The bells of its members are in a folder that this process does not see.
	p := shm.Params{Slots: 1, Type: "x", Place: [2]uint64{1, 2}}
	rand.Read(p.Born[:])
	size, err := p.Size()
	if err != nil {
		t.Fatal(err)
	}
	f, err := seg.Memory(size, maker(p))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := handoff.Open[quote](ctx, fmt.Sprintf("shm:fd=%d", f.Fd())); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("of another folder: %v, want ErrConflict", err)
	}
}
