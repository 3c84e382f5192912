package netchan_test

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// apart is a medium for the suite, whose laws know one process: it opens a
// channel as two attachments, a sending one in this process and a receiving one
// in a child. What receives, takes, settles or asks to stop is done there, by
// messages; what sends or closes is done here. With the home in a third process,
// a law then runs over three.
//
//	apart:CREW?chan=NAME
type apart struct{}

func init() { driver.Register("apart", apart{}) }

// crews are the children, by their names in a URL.
var crews sync.Map

var lastCrew atomic.Int64

// crew is a child that receives, and the way to it.
type crew struct {
	name, here, there string

	sending sync.Mutex // held for one request
	to      *gob.Encoder

	mu      sync.Mutex // guards the rest
	asked   map[uint64]func(reply)
	last    uint64
	lost    bool
	process *exec.Cmd
}

// newCrew starts the child of a home that is away.
func newCrew(t testing.TB, home away) *crew {
	t.Helper()
	cmd, in, out := spawn(t, "receiver", home.there, home.files...)
	for _, f := range home.files {
		f.Close() // or the pipe would not end with the child
	}
	c := &crew{
		name: fmt.Sprint(lastCrew.Add(1)), here: home.here, there: home.there, to: gob.NewEncoder(in),
		asked: map[uint64]func(reply){}, process: cmd,
	}
	crews.Store(c.name, c)
	open(t, c.here, "keep", both) // and with it the link, which cannot be had again over inherited pipes
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(out)
	}()
	t.Cleanup(func() {
		in.Close()
		<-read
		cmd.Wait()
		crews.Delete(c.name)
	})
	return c
}

// read hands replies to who asked, until the child has gone.
func (c *crew) read(from io.Reader) {
	d := gob.NewDecoder(from)
	for {
		var r reply
		err := d.Decode(&r)
		c.mu.Lock()
		if err != nil {
			c.lost = true
			for id, tell := range c.asked {
				delete(c.asked, id)
				go tell(c.gone())
			}
			c.mu.Unlock()
			return
		}
		tell := c.asked[r.ID]
		delete(c.asked, r.ID)
		c.mu.Unlock()
		if tell != nil {
			tell(r)
		}
	}
}

// gone is the reply of a child that is not there.
func (c *crew) gone() reply {
	return reply{Outcome: outcome{Code: wire.CodeOther, Text: "the receiving process has gone"}}
}

// ask sends a request whose reply goes to tell, which must not block, and returns
// its number.
func (c *crew) ask(r request, tell func(reply)) uint64 {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	c.last++
	r.ID = c.last
	lost := c.lost
	if tell != nil && !lost {
		c.asked[r.ID] = tell
	}
	c.mu.Unlock()
	if !lost {
		c.to.Encode(r) // if it fails, read fails too
	} else if tell != nil {
		go tell(c.gone())
	}
	return r.ID
}

// wait is ask for who waits.
func (c *crew) wait(ctx context.Context, r request) (got reply, id uint64, err error) {
	replies := make(chan reply, 1)
	id = c.ask(r, func(r reply) { replies <- r })
	select {
	case got := <-replies:
		return got, id, got.Outcome.err(nil)
	case <-ctx.Done():
		return reply{}, id, fault.Cancelled(ctx)
	}
}

// url is the URL of the channel called name.
func (c *crew) url(name string) string { return "apart:" + c.name + "?chan=" + name }

// Open implements driver.Medium.
func (apart) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	known, ok := crews.Load(u.Opaque)
	if !ok {
		return nil, fault.Because(fault.ErrUnreachable, "there is no crew %q", u.Opaque)
	}
	c, name := known.(*crew), u.Query().Get("chan")
	a := &apartChannel{crew: c}
	if cfg.Send {
		half := cfg
		half.Receive = false
		half.DeadLetter = deadLetterAt(c.here, cfg.DeadLetter)
		e, err := openURL(ctx, urlOf(c.here, name), half)
		if err != nil {
			return nil, err
		}
		a.here, a.info = e.Channel, e.Info()
		if cfg.Create == driver.CreateNew {
			cfg.Create = driver.CreateNo
		}
	}
	if cfg.Receive {
		half := cfg
		half.Send = false
		half.DeadLetter = deadLetterAt(c.there, cfg.DeadLetter)
		got, id, err := c.wait(ctx, request{Do: doOpen, Name: name, Config: half})
		if err != nil {
			if a.here != nil {
				a.here.Detach(ctx)
			}
			return nil, err
		}
		a.there, a.info = id, got.Info
	}
	return a, nil
}

// deadLetterAt is the URL of a dead letter, which is one of apart's, at a home.
func deadLetterAt(at, letter string) string {
	u, err := url.Parse(letter)
	if err != nil || letter == "" {
		return letter
	}
	q := u.Query()
	home, err := url.Parse(urlOf(at, q.Get("chan")))
	if err != nil {
		return letter
	}
	all := home.Query()
	if slots := q.Get("slots"); slots != "" {
		all.Set("slots", slots)
	}
	home.RawQuery = all.Encode()
	return home.String()
}

// apartChannel is a channel opened by apart.
type apartChannel struct {
	crew  *crew
	here  driver.Channel // sends; nil without that right
	there uint64         // receives, in the child; 0 without that right
	info  driver.Info
}

// Info implements driver.Channel.
func (a *apartChannel) Info() driver.Info { return a.info }

// farOp is an operation that runs in the child. It is the Note of its Op.
type farOp struct {
	op  *driver.Op
	id  uint64
	mu  sync.Mutex // guards why
	why error      // it was cancelled
}

// isHere reports whether an operation is one of the sending side.
func (a *apartChannel) isHere(op *driver.Op) bool {
	switch op.Kind {
	case driver.OpSelect:
		return a.here != nil && !slices.ContainsFunc(op.Cases, func(one driver.Case) bool {
			on, ok := one.Channel.(*apartChannel)
			return ok && !on.isHere(one.Op)
		})
	case driver.OpSend, driver.OpClose, driver.OpAwaitStop:
		return a.here != nil
	case driver.OpStop:
		return a.there == 0
	}
	return false
}

// Start implements driver.Channel.
func (a *apartChannel) Start(op *driver.Op) {
	if a.isHere(op) {
		if op.Kind == driver.OpSelect {
			op = a.selectHere(op)
		}
		a.here.Start(op)
		return
	}
	if a.there == 0 {
		op.Err = fault.Because(fault.ErrDenied, "opened without that right")
		op.Finish()
		return
	}
	f := &farOp{op: op}
	op.Note = f
	f.mu.Lock() // the reply may come before the number is known, and needs no more
	f.id = a.crew.ask(request{Do: doStart, At: a.there, Op: saidOf(op)}, f.ended)
	f.mu.Unlock()
}

// hereOp is a select that runs here, on the sending attachments. It is the Note of
// its Op.
type hereOp struct{ inner *driver.Op }

// selectHere is op on the sending attachments.
func (a *apartChannel) selectHere(op *driver.Op) *driver.Op {
	inner := saidOf(op).op(func(inner *driver.Op) {
		op.NotReady, op.Chosen, op.Err = inner.NotReady, inner.Chosen, inner.Err
		if op.Err == nil && !op.NotReady && op.Cases[op.Chosen].Op != nil {
			from, to := inner.Cases[op.Chosen].Op, op.Cases[op.Chosen].Op
			to.N, to.Reason, to.Err = from.N, from.Reason, from.Err
		}
		op.Finish()
	})
	for i, one := range op.Cases {
		if on, ok := one.Channel.(*apartChannel); ok {
			inner.Cases[i].Channel = on.here
		}
	}
	op.Note = hereOp{inner}
	return inner
}

// ended is told the outcome.
func (f *farOp) ended(r reply) {
	f.mu.Lock()
	why := f.why
	f.mu.Unlock()
	r.Outcome.to(f.op, why)
	f.op.Finish()
}

// Cancel implements driver.Channel.
func (a *apartChannel) Cancel(op *driver.Op, why error) {
	f, ok := op.Note.(*farOp)
	if !ok {
		if h, ok := op.Note.(hereOp); ok {
			op = h.inner
		}
		if a.here != nil {
			a.here.Cancel(op, why)
		}
		return
	}
	f.mu.Lock()
	if f.why == nil {
		f.why = why
	}
	id := f.id
	f.mu.Unlock()
	a.crew.ask(request{Do: doCancel, At: id}, nil)
}

// Stats implements driver.Channel.
func (a *apartChannel) Stats() driver.Stats {
	if a.here != nil {
		return a.here.Stats()
	}
	got, _, _ := a.crew.wait(context.Background(), request{Do: doStats, At: a.there})
	return got.Stats
}

// Detach implements driver.Channel.
func (a *apartChannel) Detach(ctx context.Context) error {
	var err error
	if a.here != nil {
		err = a.here.Detach(ctx)
	}
	if a.there != 0 {
		if _, _, ferr := a.crew.wait(ctx, request{Do: doDetach, At: a.there}); err == nil {
			err = ferr
		}
	}
	return err
}
