//go:build unix

package netchan_test

import (
	"bufio"
	"context"
	"fmt"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
)

func init() {
	// scripted does one of everything and says what came of it.
	roles["scripted"] = func(url string) {
		ctx := context.Background()
		ch, err := handoff.Open[string](ctx, url)
		must(err)
		send := func(v string) {
			say("try %s 1", v)
			must(ch.Send(ctx, v))
			say("sent %s 1", v)
		}
		send("s.1")
		send("s.2")
		v, err := ch.Recv(ctx)
		must(err)
		say("got %s 1 0", v)
		send("s.3")
		d, err := ch.Take(ctx)
		must(err)
		say("took %s 1 %d", d.Value, d.Attempt)
		must(d.Done())
		say("done %s 1", d.Value)
		say("try s.4 1")
		_, err = handoff.Select(ctx, ch.OnSend("s.4", nil))
		must(err)
		say("sent s.4 1")
		_, err = handoff.Select(ctx, ch.OnRecv(func(v string, _ bool) { say("got %s 1 0", v) }))
		must(err)
		must(ch.Detach())
		say("end s.5 1")
	}
}

// scripted runs the script over a line that holds at a byte, kills it there, and
// judges. It reports whether the script had not ended before.
func scripted(t *testing.T, home string, p *badline.Line, d badline.Direction, at int) (killed bool) {
	t.Helper()
	name := fmt.Sprintf("script-%d-%d", d, at)
	held := p.Hold(d, at)
	cmd, in, out := spawn(t, "scripted", tcpURL(p.Address(), name, "slots=2&resume=50ms"))
	defer in.Close()
	var h history
	said := make(chan struct{})
	ended := make(chan struct{})
	go func() { // ends with the child
		defer close(said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			l, err := parseLine("script", lines.Text())
			switch {
			case lines.Text() == "ready":
				close(ended)
			case err != nil:
				h.blame("%v", err)
			case l.what != "end":
				h.lines = append(h.lines, l)
			}
		}
	}()
	select {
	case <-held:
		killed = true
	case <-ended:
	}
	cmd.Process.Kill()
	<-said
	cmd.Wait()
	p.Cut(false)
	p.Set(badline.Never)
	p.Mute(d, false)

	// It may have had a value in its hands when it was in a plain receive.
	var died deaths
	if n := len(h.lines); killed && n > 0 && h.lines[n-1].what == "sent" {
		died.receivers = 1
	}
	near, err := handoff.Open[string](t.Context(), tcpURL(home, name, "slots=2"))
	if err != nil {
		t.Fatal(err)
	}
	defer near.Detach()
	mustOpenURL(t, tcpURL(home, name, ""), both).until(t, "only ours", func(s handoff.Stats) bool { return s.Senders == 2 && s.Held == 0 })
	for v, ok, err := near.TryRecv(); ok; v, ok, err = near.TryRecv() {
		if err != nil {
			t.Fatal(err)
		}
		h.lines = append(h.lines, line{who: "drain", what: "got", value: v})
	}
	h.judge(2, near.Stats().Redelivered, died, false)
	for _, why := range h.bad {
		t.Errorf("killed at byte %d of direction %d: %s", at, d, why)
	}
	return killed
}

// TestKilledAtEveryByte: wherever in a script its process is killed, mid-frame or
// between two, what it had done is done, what it held comes again, and the rest never
// was. With -every at each byte, else at some.
func TestKilledAtEveryByte(t *testing.T) {
	_, home := serveTCP(t, hub.Options{})
	p := through(t, home, badline.Never)
	step := 1
	if !*every {
		step = 20 + randomly(t).IntN(20)
	}
	kills := 0
	for _, d := range []badline.Direction{badline.Up, badline.Down} {
		for at := step; scripted(t, home, p, d, at); at += step {
			if kills++; t.Failed() {
				return
			}
		}
	}
	t.Logf("%d kills", kills)
}
