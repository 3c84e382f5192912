//go:build unix

package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	_ "github.com/handoff-go/handoff/netchan"
)

// What the environment says to a child.
const (
	envRole = "HANDOFF_TORTURE_ROLE"
	envName = "HANDOFF_TORTURE_NAME"
	envURLs = "HANDOFF_TORTURE_URLS" // two, with a space between
	envSeed = "HANDOFF_TORTURE_SEED"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(envRole); role != "" {
		armPoint()
		newChild().run(role)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is one process under torture. What it does it says, in whole lines, before
// and after: a line that was written is in the pipe whatever becomes of its writer.
type child struct {
	name string
	urls []string
	ch   [2]handoff.Chan[string]
	dice *rand.Rand
	stop atomic.Bool // set when the input ends, loaded before each turn
	sent int
	held []holding // for more than a turn
}

// holding is a value that a child holds.
type holding struct {
	handoff.Delivery[string]
	on int // its channel
}

func newChild() *child {
	var seed uint64
	fmt.Sscan(os.Getenv(envSeed), &seed)
	return &child{name: os.Getenv(envName), urls: strings.Fields(os.Getenv(envURLs)), dice: rand.New(rand.NewPCG(seed, 1))}
}

func (c *child) run(role string) {
	go func() { // until the process ends
		io.Copy(io.Discard, os.Stdin)
		c.stop.Store(true)
	}()
	for i := range c.urls {
		c.open(role, i)
	}
	say("ready")
	turn := map[string]func() error{
		"send": c.sendOne, "send-batch": c.sendBatch, "send-select": c.sendEither,
		"take": c.takeSome, "take-select": c.takeEither, "receive": c.receiveSome, "send-take": c.sendAndTake,
	}[role]
	for !c.stop.Load() || !strings.HasPrefix(role, "send") {
		err := turn()
		if errors.Is(err, handoff.ErrClosed) {
			break
		}
		must(err)
		if i := c.dice.IntN(comesBack); i < len(c.urls) && strings.HasPrefix(c.urls[i], "shm:") {
			must(c.settleOn(i)) // or it would go back with the attachment
			c.leave(i)
			c.open(role, i)
		}
	}
	must(c.settleAll(0))
	for i := range c.ch {
		c.leave(i)
	}
	say("bye")
}

// comesBack is in how many turns a process leaves each channel once, and comes back.
const comesBack = 40

// open attaches c to channel i, as its role needs it.
func (c *child) open(role string, i int) {
	var err error
	if strings.HasPrefix(role, "send") {
		c.ch[i].Sender, err = handoff.OpenSender[string](context.Background(), c.urls[i])
		must(err)
	}
	if role == "send-take" || !strings.HasPrefix(role, "send") {
		c.ch[i].Receiver, err = handoff.OpenReceiver[string](context.Background(), c.urls[i])
		must(err)
	}
}

// leave ends the attachment to channel i.
func (c *child) leave(i int) {
	if c.ch[i].Sender != (handoff.Sender[string]{}) {
		must(c.ch[i].Sender.Detach())
	}
	if c.ch[i].Receiver != (handoff.Receiver[string]{}) {
		must(c.ch[i].Receiver.Detach())
	}
}

// say writes a line in one piece.
func say(format string, args ...any) { os.Stdout.WriteString(fmt.Sprintf(format, args...) + "\n") }

func must(err error) {
	if err != nil {
		say("failed %v", err)
		os.Exit(1)
	}
}

// next is a value nobody sent before. It has a tail of some length, so that all
// sizes of value are under way.
func (c *child) next() string {
	c.sent++
	v := fmt.Sprintf("%s.%d", c.name, c.sent)
	say("try %s", v)
	return v + " " + strings.Repeat("x", sizes[c.dice.IntN(len(sizes))])
}

// sizes of the tails: within an entry, within a few pages, and beyond.
var sizes = []int{0, 0, 0, 10, 60, 100, 300, 5000, 20000}

// id is the value without its tail.
func id(v string) string {
	id, tail, _ := strings.Cut(v, " ")
	if strings.Trim(tail, "x") != "" {
		return "torn"
	}
	return id
}

func (c *child) sendOne() error {
	v := c.next()
	err := c.ch[c.dice.IntN(2)].Send(context.Background(), v)
	if err == nil {
		say("sent %s", id(v))
	}
	return err
}

func (c *child) sendBatch() error {
	vs := make([]string, 1+c.dice.IntN(5))
	for i := range vs {
		vs[i] = c.next()
	}
	n, err := c.ch[c.dice.IntN(2)].SendAll(context.Background(), vs)
	for _, v := range vs[:n] {
		say("sent %s", id(v))
	}
	return err
}

// sendEither offers one value on both channels.
func (c *child) sendEither() error {
	v := c.next()
	i, err := handoff.Select(context.Background(), c.ch[0].OnSend(v, nil), c.ch[1].OnSend(v, nil), handoff.After(20*time.Millisecond, nil))
	if err == nil && i < 2 {
		say("sent %s", id(v))
	} else if err == nil {
		say("kept %s", id(v))
	}
	return err
}

// sendAndTake sends, or selects, while it holds what it took in an earlier turn. There is one such process, so
// that no two wait for each other's settlements.
func (c *child) sendAndTake() error {
	if len(c.held) == 0 || c.dice.IntN(4) == 0 {
		return c.takeSome()
	}
	if c.dice.IntN(2) == 0 {
		return c.sendEither()
	}
	v := c.next()
	ok, err := c.ch[c.dice.IntN(2)].TrySend(v)
	if err == nil {
		say(map[bool]string{true: "sent %s", false: "kept %s"}[ok], id(v))
	}
	return err
}

// settle ends a hold in one of the ways there are.
func (c *child) settle(d handoff.Delivery[string]) error {
	if c.dice.IntN(8) == 0 {
		say("return %s", id(d.Value))
		err := d.Return()
		if !errors.Is(err, handoff.ErrAbandoned) {
			return err
		}
		say("keep %s %d", id(d.Value), d.Attempt) // its sender was killed
	}
	say("settle %s", id(d.Value))
	if err := d.Done(); err != nil {
		return err
	}
	say("done %s", id(d.Value))
	return nil
}

func got(on int, d handoff.Delivery[string]) { say("got %s %d %d", id(d.Value), on, d.Attempt) }

// takeSome holds several values at a time.
func (c *child) takeSome() error {
	held := make([]handoff.Delivery[string], 1+c.dice.IntN(3))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+c.dice.IntN(20))*time.Millisecond)
	defer cancel()
	on := c.dice.IntN(2)
	n, err := c.ch[on].TakeInto(ctx, held)
	for _, d := range held[:n] {
		got(on, d)
		c.held = append(c.held, holding{d, on})
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return c.settleAll(0) // the other one, perhaps
	case err != nil:
		if bad := c.settleAll(0); bad != nil {
			return bad
		}
		return c.ended(err)
	}
	return c.settleAll(c.dice.IntN(holdMost))
}

// holdMost is more than how many values are held for more than a turn.
const holdMost = 3

// settleAll settles what is held, in any order, but so many.
func (c *child) settleAll(but int) error {
	c.dice.Shuffle(len(c.held), func(i, j int) { c.held[i], c.held[j] = c.held[j], c.held[i] })
	for len(c.held) > but {
		d := c.held[len(c.held)-1]
		c.held = c.held[:len(c.held)-1]
		if err := c.settle(d.Delivery); err != nil {
			return err
		}
	}
	return nil
}

// settleOn settles what is held of one channel.
func (c *child) settleOn(on int) error {
	others := slices.DeleteFunc(slices.Clone(c.held), func(h holding) bool { return h.on == on })
	c.held = slices.DeleteFunc(c.held, func(h holding) bool { return h.on != on })
	err := c.settleAll(0)
	c.held = others
	return err
}

// ended is err, or nil if only one of the channels has ended.
func (c *child) ended(err error) error {
	if !errors.Is(err, handoff.ErrClosed) {
		return err
	}
	for i := range c.ch {
		s := c.ch[i].Receiver.Stats()
		if !s.Closed || s.Len+s.Held+s.SendersWaiting > 0 {
			return nil
		}
	}
	return err
}

// takeEither selects while it holds what it took in an earlier turn.
func (c *child) takeEither() error {
	closed := 0
	take := func(on int) handoff.Case {
		return c.ch[on].OnTake(func(d handoff.Delivery[string], ok bool) {
			if !ok {
				closed++
				return
			}
			got(on, d)
			c.held = append(c.held, holding{d, on})
		})
	}
	_, bad := handoff.Select(context.Background(), take(0), take(1), handoff.After(20*time.Millisecond, nil))
	if bad == nil && closed > 0 {
		return errors.Join(c.settleAll(0), c.ended(handoff.ErrClosed))
	}
	return errors.Join(c.settleAll(c.dice.IntN(holdMost)), bad)
}

// receiveSome receives without a hold: what is received in the moment of its death
// is lost with it, as in any program.
func (c *child) receiveSome() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+c.dice.IntN(20))*time.Millisecond)
	defer cancel()
	vs := make([]string, 1+c.dice.IntN(receiveMost))
	on := c.dice.IntN(2)
	n, err := c.ch[on].RecvInto(ctx, vs)
	for _, v := range vs[:n] {
		say("received %s %d", id(v), on)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return c.ended(err)
}

// receiveMost is how many values a plain receive takes at once.
const receiveMost = 3
