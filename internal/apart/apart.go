// Package apart runs the laws with sender and receiver in processes of their own. It is for tests only.
//
// The suite's laws know one process. So this is a medium that opens a channel as two attachments, a
// sending one in this process and a receiving one in a child. What receives, takes, settles or asks to
// stop is done there, by messages; what sends or closes is done here. A select is done where all of its
// cases are; one that both sends and receives, in the child.
//
//	apart:CREW/NAME?parameters of the channel
package apart

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/testproc"
	"github.com/handoff-go/handoff/internal/wire"
)

// Place says where channels are: the URL of each, by its name.
type Place func(name string) string

// url is the URL of the channel called name, with parameters more.
func (p Place) url(name string, more url.Values) string {
	u, err := url.Parse(p(name))
	if err != nil {
		panic(err) // it is the test's own
	}
	q := u.Query()
	for key := range more {
		q.Set(key, more.Get(key))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Open opens a channel as the root package does.
func Open(ctx context.Context, rawURL string, cfg driver.Config) (driver.Channel, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	m, ok := driver.Lookup(u.Scheme)
	if !ok {
		return nil, fmt.Errorf("no medium for %s", rawURL)
	}
	return m.Open(ctx, u, cfg)
}

type medium struct{}

func init() { driver.Register("apart", medium{}) }

// crews are the children, by their names in a URL.
var crews sync.Map

var lastCrew atomic.Int64

// Crew is a child that receives, and the way to it.
type Crew struct {
	name string
	here Place

	sending sync.Mutex // held for one request
	to      *gob.Encoder

	mu    sync.Mutex // guards the rest
	asked map[uint64]func(reply)
	last  uint64
	lost  bool
}

// New starts the child, which plays a role that calls Receive, and ends with the test. here says where
// this process finds the channels.
func New(t testing.TB, here Place, role, arg string, o testproc.Options) *Crew {
	t.Helper()
	cmd, in, out := testproc.Spawn(t, role, arg, o)
	for _, f := range o.Files {
		f.Close() // or a pipe would not end with the child
	}
	c := &Crew{name: fmt.Sprint(lastCrew.Add(1)), here: here, to: gob.NewEncoder(in), asked: map[uint64]func(reply){}}
	crews.Store(c.name, c)
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
func (c *Crew) read(from io.Reader) {
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
func (c *Crew) gone() reply {
	return reply{Outcome: outcome{Code: wire.CodeOther, Text: "the receiving process has gone"}}
}

// ask sends a request whose reply goes to tell, which must not block, and returns
// its number.
func (c *Crew) ask(r request, tell func(reply)) uint64 {
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
func (c *Crew) wait(ctx context.Context, r request) (got reply, id uint64, err error) {
	replies := make(chan reply, 1)
	id = c.ask(r, func(r reply) { replies <- r })
	select {
	case got := <-replies:
		return got, id, got.Outcome.err(nil)
	case <-ctx.Done():
		return reply{}, id, fault.Cancelled(ctx)
	}
}

// URL is that of the channel called name.
func (c *Crew) URL(name string) string { return "apart:" + c.name + "/" + name }

// parse is what a URL of this medium says.
func parse(u *url.URL) (crew, name string, more url.Values) {
	crew, name, _ = strings.Cut(u.Opaque, "/")
	return crew, name, u.Query()
}

// letter is the URL of a dead letter, which is one of this medium's, at a place.
func (p Place) letter(at string) string {
	u, err := url.Parse(at)
	if err != nil || at == "" {
		return at
	}
	_, name, more := parse(u)
	return p.url(name, more)
}

// Open implements driver.Medium.
func (medium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	crew, name, more := parse(u)
	known, ok := crews.Load(crew)
	if !ok {
		return nil, fault.Because(fault.ErrUnreachable, "there is no crew %q", crew)
	}
	c := known.(*Crew)
	a := &channel{crew: c}
	if cfg.Send {
		half := cfg
		half.Receive = false
		half.DeadLetter = c.here.letter(cfg.DeadLetter)
		e, err := Open(ctx, c.here.url(name, more), half)
		if err != nil {
			return nil, err
		}
		a.here, a.info = e, e.Info()
		if cfg.Create == driver.CreateNew {
			cfg.Create = driver.CreateNo
		}
	}
	if cfg.Receive {
		half := cfg
		half.Send = false
		got, id, err := c.wait(ctx, request{Do: doOpen, Name: name, More: more, Config: half})
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

// channel is a channel of this medium.
type channel struct {
	crew  *Crew
	here  driver.Channel // sends; nil without that right
	there uint64         // receives, in the child; 0 without that right
	info  driver.Info
}

// Info implements driver.Channel.
func (a *channel) Info() driver.Info { return a.info }

// farOp is an operation that runs in the child. It is the Note of its Op.
type farOp struct {
	op  *driver.Op
	id  uint64
	mu  sync.Mutex // guards why
	why error      // it was cancelled
}

// isHere reports whether an operation is one of the sending side.
func (a *channel) isHere(op *driver.Op) bool {
	switch op.Kind {
	case driver.OpSelect:
		return a.here != nil && !slices.ContainsFunc(op.Cases, func(one driver.Case) bool {
			on, ok := one.Channel.(*channel)
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
func (a *channel) Start(op *driver.Op) {
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
func (a *channel) selectHere(op *driver.Op) *driver.Op {
	inner := saidOf(op).op(func(inner *driver.Op) {
		op.NotReady, op.Chosen, op.Err = inner.NotReady, inner.Chosen, inner.Err
		if op.Err == nil && !op.NotReady && op.Cases[op.Chosen].Op != nil {
			from, to := inner.Cases[op.Chosen].Op, op.Cases[op.Chosen].Op
			to.N, to.Reason, to.Err = from.N, from.Reason, from.Err
		}
		op.Finish()
	})
	for i, one := range op.Cases {
		if on, ok := one.Channel.(*channel); ok {
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
func (a *channel) Cancel(op *driver.Op, why error) {
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
func (a *channel) Stats() driver.Stats {
	if a.here != nil {
		return a.here.Stats()
	}
	got, _, _ := a.crew.wait(context.Background(), request{Do: doStats, At: a.there})
	return got.Stats
}

// Detach implements driver.Channel.
func (a *channel) Detach(ctx context.Context) error {
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
