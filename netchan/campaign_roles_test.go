//go:build unix

package netchan_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

// What the environment says to a child of a campaign: a URL with %s for the
// channel's name, and what its values begin with.
const (
	campaignURL  = "HANDOFF_CAMPAIGN_URL"
	campaignName = "HANDOFF_CAMPAIGN_NAME"
)

// campaignBeat is the heartbeat of a campaign, of both sides.
const campaignBeat = 50 * time.Millisecond

func init() {
	roles["campaign home"] = func(string) {
		l, err := hub.ListenTCP("127.0.0.1:0")
		must(err)
		say("serves %s", l.Addr())
		must(hub.New(hub.Options{Heartbeat: campaignBeat}).Serve(l))
	}
	roles["campaign sender"] = func(string) { sendsOn(newActor()) }
	roles["campaign receiver"] = func(string) { receivesOn(newActor()) }
	roles["campaign taker"] = func(string) { takesOn(newActor()) }
	roles["campaign select sender"] = func(string) { selectsSends(newActor()) }
	roles["campaign select receiver"] = func(string) { selectsReceives(newActor()) }
}

// clock is the time since the system started, which is the same for all processes.
func clock() int64 {
	var ts unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return ts.Nano()
}

// actor is a child of a campaign, which goes on whatever happens to its channels
// until its input ends.
type actor struct {
	name   string
	n      int
	enough chan struct{} // closed when the input has ended
	dice   *rand.Rand
}

func newActor() *actor {
	a := &actor{name: os.Getenv(campaignName), enough: make(chan struct{}), dice: rand.New(rand.NewPCG(1, uint64(os.Getpid())))}
	go func() { // until the process ends
		in := bufio.NewReader(os.Stdin)
		for _, err := in.ReadByte(); err == nil; _, err = in.ReadByte() {
		}
		close(a.enough)
	}()
	return a
}

// done reports whether the input has ended.
func (a *actor) done() bool {
	select {
	case <-a.enough:
		return true
	default:
		return false
	}
}

// pause makes a campaign less a measure of speed than one of faults.
func (a *actor) pause() { time.Sleep(time.Duration(a.dice.IntN(2000)) * time.Microsecond) }

// value returns the next value.
func (a *actor) value() string {
	a.n++
	return fmt.Sprintf("%s.%d", a.name, a.n)
}

// attach opens a channel, however long it takes.
func (a *actor) attach(channel string) handoff.Chan[string] {
	url := strings.ReplaceAll(os.Getenv(campaignURL), "%s", channel)
	for {
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		ch, err := handoff.Open[string](ctx, url)
		stop()
		if err == nil {
			return ch
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// again gives a channel up and opens it anew.
func (a *actor) again(ch handoff.Chan[string], channel string) handoff.Chan[string] {
	ch.Detach()
	return a.attach(channel)
}

// failed says how the sending of a value failed, and what its home says of it.
func (a *actor) failed(value string, err error) {
	if !errors.Is(err, handoff.ErrInDoubt) {
		say("fail %s %d", value, clock())
		return
	}
	say("doubt %s %d", value, clock())
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	f, err := handoff.Outcome(ctx, err)
	switch {
	case err != nil || errors.Is(f.Err, handoff.ErrInDoubt):
		say("unknown %s %d", value, clock())
	case f.Err == nil:
		say("was %s %d %d", value, clock(), f.Chosen)
	default:
		say("not %s %d", value, clock())
	}
}

func sendsOn(a *actor) {
	ch := a.attach("jobs")
	for !a.done() {
		v := a.value()
		say("try %s %d", v, clock())
		if err := ch.Send(context.Background(), v); err != nil {
			a.failed(v, err)
			ch = a.again(ch, "jobs")
		} else {
			say("sent %s %d", v, clock())
		}
		a.pause()
	}
	os.Exit(0)
}

func receivesOn(a *actor) {
	for ch := a.attach("jobs"); ; {
		began := clock()
		v, err := ch.Recv(context.Background())
		switch {
		case err == nil:
			say("got %s %d 0", v, began)
		case errors.Is(err, handoff.ErrClosed):
			os.Exit(0)
		default:
			ch = a.again(ch, "jobs")
		}
	}
}

func takesOn(a *actor) {
	for ch := a.attach("jobs"); ; {
		d, err := ch.Take(context.Background())
		switch {
		case errors.Is(err, handoff.ErrClosed):
			os.Exit(0)
		case err != nil:
			ch = a.again(ch, "jobs")
			continue
		}
		say("took %s %d %d", d.Value, clock(), d.Attempt)
		a.pause()
		began := clock()
		if err := d.Done(); err == nil {
			say("done %s %d", d.Value, began)
		}
	}
}

func selectsSends(a *actor) {
	left, right := a.attach("left"), a.attach("right")
	for !a.done() {
		v := a.value()
		say("either %s %d", v, clock())
		i, err := handoff.Select(context.Background(), left.OnSend(v+"/0", nil), right.OnSend(v+"/1", nil))
		if err != nil {
			a.failed(v, err)
			left, right = a.again(left, "left"), a.again(right, "right")
		} else {
			say("chose %s %d %d", v, clock(), i)
		}
		a.pause()
	}
	os.Exit(0)
}

func selectsReceives(a *actor) {
	left, right := a.attach("left"), a.attach("right")
	for {
		began := clock()
		var value string
		var open bool
		get := func(v string, ok bool) { value, open = v, ok }
		_, err := handoff.Select(context.Background(), left.OnRecv(get), right.OnRecv(get))
		switch {
		case err == nil && open:
			say("got %s %d 0", value, began)
		case err == nil || errors.Is(err, handoff.ErrClosed):
			a.drain(left)
			a.drain(right)
			os.Exit(0)
		default:
			left, right = a.again(left, "left"), a.again(right, "right")
		}
	}
}

// drain receives what is left in a channel that is being closed.
func (a *actor) drain(ch handoff.Chan[string]) {
	for {
		began := clock()
		v, err := ch.Recv(context.Background())
		if err != nil {
			return
		}
		say("got %s %d 0", v, began)
	}
}
