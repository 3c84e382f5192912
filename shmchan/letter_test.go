package shmchan

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
)

func init() {
	// rejecter rejects all that comes.
	roles["rejecter"] = func(url string) {
		in, err := handoff.OpenReceiver[int](context.Background(), url)
		must(err)
		go func() {
			for d, err := range in.Deliveries(context.Background()) {
				must(err)
				must(d.Reject("no"))
			}
		}()
	}
}

// TestLetterPool: a dead letter has the pool that its URL says, for all who open it, or is refused.
func TestLetterPool(t *testing.T) {
	at := fresh(t)
	url := at + "?slots=1&pool=65536&deadletter=" + at + "-dead%3Fslots=2%26pool=131072"
	_, one := opened[int](t, patience, url)
	opened[int](t, patience, url) // another one says the same
	opened[handoff.Dead[int]](t, patience, at+"-dead?pool=131072&create=no")
	_, err := handoff.Open[int](t.Context(), at+"?deadletter="+at+"-dead%3Fslots=2%26pool=65536")
	if !errors.Is(err, driver.ErrConflict) {
		t.Errorf("with another pool: %v, want ErrConflict", err)
	}
	one.Detach()
	_, err = handoff.Open[int](t.Context(), at+"-wide?slots=1&maxvalue=100000&deadletter="+at+"-small%3Fslots=2%26pool=65536")
	if !errors.Is(err, driver.ErrConflict) || !strings.Contains(err.Error(), "maxvalue=100000 does not fit into pool=65536") {
		t.Errorf("a dead letter too small for the values: %v, want ErrConflict that says so", err)
	}
}

// TestBurierDies: whenever a process is killed that rejects values, each is in the dead letter once, or comes back.
func TestBurierDies(t *testing.T) {
	for round := range 6 {
		burierDies(t, string(rune('a'+round)), "", 10*(round+1))
	}
}

// burierDies has a child reject values until it dies: by itself, if env says so, or killed when so many are in
// the dead letter.
func burierDies(t *testing.T, name, env string, buried int) {
	ctx, stop := context.WithTimeout(context.Background(), 3*patience)
	defer stop()
	const values = 300
	at := fresh(t) + name
	dead, err := handoff.Open[handoff.Dead[int]](ctx, at+"-dead?slots=300")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Detach()
	ch, err := handoff.Open[int](ctx, at+"?slots=300&deadletter="+at+"-dead")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	for v := range values {
		if err := ch.Send(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	cmd := child(t, "rejecter", at, env) // which learns of the dead letter from the channel
	seen := map[int]string{}
	note := func(v int, where string) {
		if seen[v] != "" {
			t.Errorf("%d was received from the %s and the %s", v, seen[v], where)
		}
		seen[v] = where
	}
	if env == "" {
		for range buried {
			d, err := dead.Recv(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if d.Reason != "no" || d.Attempts != 1 || !strings.HasSuffix(at, d.From) {
				t.Fatalf("a dead letter says %+v", d)
			}
			note(d.Value, "dead letter")
		}
		kill(t, cmd)
	} else {
		died := make(chan struct{})
		go func() { cmd.Process.Wait(); close(died) }()
		select {
		case <-died:
		case <-ctx.Done():
			t.Fatalf("the child does not come to %s; %+v", env, ch.Stats())
		}
	}
	everyValue(t, ctx, ch, dead, values, seen, note)
	for { // a value is in the dead letter before it has left its place
		st, dt := ch.Stats(), dead.Stats()
		if st.Len+st.Held+dt.Len+dt.Held == 0 && st.Received+st.Rejected == values && dt.Received == st.Rejected {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("more than there was: %+v, %+v", st, dt)
		}
	}
}

// everyValue receives what is in the channel and its dead letter, until all values were seen.
func everyValue(t *testing.T, ctx context.Context, ch handoff.Chan[int], dead handoff.Chan[handoff.Dead[int]], values int, seen map[int]string, note func(int, string)) {
	type arrival struct {
		v     int
		where string
	}
	arrivals := make(chan arrival)
	rest, enough := context.WithCancel(ctx)
	defer enough()
	var wg sync.WaitGroup
	wg.Go(func() {
		for v, err := range ch.All(rest) {
			if err != nil {
				return
			}
			arrivals <- arrival{v, "channel"}
		}
	})
	wg.Go(func() {
		for d, err := range dead.All(rest) {
			if err != nil {
				return
			}
			arrivals <- arrival{d.Value, "dead letter"}
		}
	})
	go func() { wg.Wait(); close(arrivals) }()
	for a := range arrivals {
		if note(a.v, a.where); len(seen) == values {
			enough()
		}
	}
	if len(seen) < values {
		t.Fatalf("%d of %d values are somewhere; %+v, %+v", len(seen), values, ch.Stats(), dead.Stats())
	}
}

// TestDeadLetterRefused: what cannot be a dead letter is refused when the channel is opened, and leaves nothing open.
func TestDeadLetterRefused(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	at := fresh(t)
	full, err := handoff.Open[handoff.Dead[int]](ctx, at+"-small?slots=4&maxvalue=100")
	if err != nil {
		t.Fatal(err)
	}
	defer full.Detach()
	other, err := handoff.Open[string](ctx, at+"-other?slots=4")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Detach()
	for letter, want := range map[string]error{
		"mem:x":                     driver.ErrUnsupported,
		"shm:fd=3":                  driver.ErrUnsupported,
		at:                          driver.ErrConflict, // itself
		at + "-none":                driver.ErrConflict, // not there, and no slots said
		at + "-none?slots=0":        driver.ErrConflict,
		at + "-none?slots=1&what=1": driver.ErrConflict,
		at + "-small":               driver.ErrConflict, // values that do not fit
		at + "-small?slots=5":       driver.ErrConflict,
		at + "-other":               driver.ErrTypeMismatch,
	} {
		ch, err := handoff.Open[int](ctx, at+"?slots=1", handoff.DeadLetter(letter))
		if err == nil {
			ch.Detach()
		}
		if !errors.Is(err, want) {
			t.Errorf("deadletter=%s: %v, want %v", letter, err, want)
		}
	}
	if _, err := handoff.Open[int](ctx, at+"?create=no"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("a channel that was refused is there: %v", err)
	}
	if st := full.Stats(); st.Senders != 1 {
		t.Errorf("%d senders of the dead letter, want its own only", st.Senders)
	}
}

// TestDeadLetterAgrees: who opens the channel later may say the same dead letter and the same bound, or nothing.
func TestDeadLetterAgrees(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	at := fresh(t)
	first, err := handoff.Open[int](ctx, at+"?slots=1&maxattempts=2&deadletter="+at+"-dead%3Fslots%3D3")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Detach()
	for query, want := range map[string]error{
		"": nil, "?maxattempts=2": nil, "?deadletter=" + at + "-dead": nil,
		"?maxattempts=3": driver.ErrConflict, "?deadletter=" + at + "-another%3Fslots%3D3": driver.ErrConflict,
	} {
		ch, err := handoff.Open[int](ctx, at+query)
		if err == nil {
			ch.Detach()
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", query, err, want)
		}
	}
	dead, err := handoff.Open[handoff.Dead[int]](ctx, at+"-dead?create=no")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Detach()
	first.Send(ctx, 1)
	for range 2 {
		d, err := first.Take(ctx)
		if err != nil {
			t.Fatal(err)
		}
		d.Return()
	}
	begin := time.Now()
	if d, err := dead.Recv(ctx); err != nil || d.Value != 1 || d.Attempts != 2 {
		t.Errorf("the dead letter got %+v, %v after %v", d, err, time.Since(begin))
	}
}
