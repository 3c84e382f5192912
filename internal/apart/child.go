package apart

import (
	"context"
	"encoding/gob"
	"errors"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// What the child of a crew is asked to do.
type errand uint8

const (
	doOpen errand = iota + 1
	doStart
	doCancel
	doStats
	doDetach
)

// request is what is asked of the child. What it opens and starts is named by the
// number of the request.
type request struct {
	ID     uint64
	Do     errand
	At     uint64 // the attachment, or of doCancel the operation
	Name   string
	More   url.Values // parameters of the channel
	Config driver.Config
	Op     said
}

// said is what an Op says before it is started.
type said struct {
	Kind   driver.Kind
	Try    bool
	Items  []driver.Item
	Max    int
	Hold   driver.Hold
	Delay  time.Duration
	Reason string

	Cases []saidCase // OpSelect
	First bool
	After time.Duration
}

// saidCase is one case of a select; At is 0 for one that is ready at once.
type saidCase struct {
	At uint64
	Op said
}

// result is what an Op says when it has ended.
type result struct {
	N        int
	Got      []driver.Item
	NotReady bool
	Reason   string

	Chosen int      // OpSelect
	Case   *outcome // of the chosen case, nil if it has none
}

// outcome is a result with its error, which crosses as it does on the wire.
type outcome struct {
	Result result
	Code   wire.Code
	Doubt  bool
	Text   string
}

// reply is the answer to a request.
type reply struct {
	ID      uint64
	Outcome outcome
	Info    driver.Info
	Stats   driver.Stats
}

func saidOf(op *driver.Op) said {
	s := said{Kind: op.Kind, Try: op.Try, Items: op.Items, Max: op.Max, Hold: op.Hold, Delay: op.Delay, Reason: op.Reason, First: op.First, After: op.After}
	for _, one := range op.Cases {
		c := saidCase{}
		if a, ok := one.Channel.(*channel); ok {
			c = saidCase{a.there, saidOf(one.Op)}
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

// op is the Op that says s. Its cases are still without channels.
func (s said) op(done func(*driver.Op)) *driver.Op {
	op := driver.NewOp(s.Kind, done)
	op.Try, op.Items, op.Max, op.Hold, op.Delay, op.Reason = s.Try, s.Items, s.Max, s.Hold, s.Delay, s.Reason
	op.First, op.After = s.First, s.After
	for _, one := range s.Cases {
		op.Cases = append(op.Cases, driver.Case{Op: one.Op.op(nil)})
	}
	return op
}

func resultOf(op *driver.Op) result {
	r := result{N: op.N, Got: op.Got, NotReady: op.NotReady, Reason: op.Reason, Chosen: op.Chosen}
	if op.Kind == driver.OpSelect && op.Err == nil && !op.NotReady && op.Cases[op.Chosen].Op != nil {
		one := outcomeOf(op.Cases[op.Chosen].Op)
		r.Case = &one
	}
	return r
}

func outcomeOf(op *driver.Op) outcome {
	o := outcome{Result: resultOf(op)}
	o.Code, o.Doubt, o.Text = codeOf(op.Err)
	return o
}

func (r result) to(op *driver.Op, why error) {
	op.N, op.Got, op.NotReady, op.Chosen = r.N, r.Got, r.NotReady, r.Chosen
	if op.Kind == driver.OpAwaitStop {
		op.Reason = r.Reason
	}
	if r.Case != nil && op.Cases[op.Chosen].Op != nil {
		r.Case.to(op.Cases[op.Chosen].Op, why)
	}
}

// to sets the outcome of an Op that was cancelled because of why, if it was.
func (o outcome) to(op *driver.Op, why error) {
	o.Result.to(op, why)
	op.Err = o.err(why)
}

func (o outcome) err(why error) error { return wire.Err(o.Code, o.Doubt, o.Text, why) }

// codeOf is wire.CodeOf for an error of this process.
func codeOf(err error) (code wire.Code, doubt bool, text string) {
	if errors.Is(err, errToldTo) {
		return wire.CodeCancelled, errors.Is(err, driver.ErrInDoubt), ""
	}
	return wire.CodeOf(err)
}

// Receive is what the child of a crew does: what it is told on its input, until that ends. here says where it
// finds the channels.
func Receive(here Place) {
	r := &receiver{here: here, to: gob.NewEncoder(os.Stdout), opened: map[uint64]*opened{}, started: map[uint64]*started{}}
	r.run()
	os.Exit(0)
}

// receiver is the child's side.
type receiver struct {
	here Place

	sending sync.Mutex // held for one reply
	to      *gob.Encoder

	mu      sync.Mutex // guards the rest, and started's fields
	opened  map[uint64]*opened
	started map[uint64]*started
}

// opened is an attachment that receives, and one that does everything, which is
// opened when a select needs it.
type opened struct {
	receives driver.Channel
	url      string
	cfg      driver.Config

	mu       sync.Mutex // guards the rest; held while all is opened
	all      driver.Channel
	detached bool
}

// everything returns the attachment that both sends and receives.
func (a *opened) everything() (driver.Channel, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all != nil {
		return a.all, nil
	}
	cfg := a.cfg
	cfg.Send = true
	if cfg.Create == driver.CreateNew {
		cfg.Create = driver.CreateNo
	}
	ch, err := Open(context.Background(), a.url, cfg)
	if err != nil {
		return nil, err
	}
	if a.all = ch; a.detached {
		a.all.Detach(context.Background())
	}
	return a.all, nil
}

// detach ends both.
func (a *opened) detach() error {
	a.mu.Lock()
	a.detached = true
	if a.all != nil {
		a.all.Detach(context.Background())
	}
	a.mu.Unlock()
	return a.receives.Detach(context.Background())
}

// started is an operation under way.
type started struct {
	op        *driver.Op
	ch        driver.Channel // nil until op is started
	cancelled bool
}

// errToldTo is what the child cancels with.
var errToldTo = errors.New("told to")

// run serves until the input ends. Operations are started and cancelled in the
// order they come; what may take time has a goroutine.
func (r *receiver) run() {
	from := gob.NewDecoder(os.Stdin)
	for {
		var q request
		if from.Decode(&q) != nil {
			return
		}
		switch q.Do {
		case doOpen:
			go r.open(q)
		case doStart:
			r.start(q)
		case doCancel:
			r.cancel(q.At)
		case doStats:
			go func() { r.say(reply{ID: q.ID, Stats: r.attachment(q.At).receives.Stats()}, nil) }()
		case doDetach:
			go func() { r.say(reply{ID: q.ID}, r.attachment(q.At).detach()) }()
		}
	}
}

func (r *receiver) attachment(id uint64) *opened {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened[id]
}

func (r *receiver) say(a reply, err error) {
	a.Outcome.Code, a.Outcome.Doubt, a.Outcome.Text = codeOf(err)
	r.sending.Lock()
	defer r.sending.Unlock()
	if r.to.Encode(a) != nil {
		os.Exit(1) // nobody is left to hear
	}
}

func (r *receiver) open(q request) {
	a := &opened{url: r.here.url(q.Name, q.More), cfg: q.Config}
	a.cfg.DeadLetter = r.here.letter(q.Config.DeadLetter)
	var err error
	if a.receives, err = Open(context.Background(), a.url, a.cfg); err != nil {
		r.say(reply{ID: q.ID}, err)
		return
	}
	r.mu.Lock()
	r.opened[q.ID] = a
	r.mu.Unlock()
	r.say(reply{ID: q.ID, Info: a.receives.Info()}, nil)
}

func (r *receiver) start(q request) {
	s := &started{}
	s.op = q.Op.op(func(op *driver.Op) {
		r.mu.Lock()
		delete(r.started, q.ID)
		r.mu.Unlock()
		go r.ended(q.ID, s.ch, op)
	})
	r.mu.Lock()
	r.started[q.ID] = s
	r.mu.Unlock()
	switch {
	case q.Op.Kind != driver.OpSelect:
		r.begin(s, r.attachment(q.At).receives)
	case sends(s.op):
		go r.mix(s, q) // it may have to open
	default:
		for i, one := range q.Op.Cases {
			if one.At != 0 {
				s.op.Cases[i].Channel = r.attachment(one.At).receives
			}
		}
		r.begin(s, r.attachment(q.At).receives)
	}
}

// sends reports whether a select has a case that a receiving attachment cannot
// have.
func sends(op *driver.Op) bool {
	return slices.ContainsFunc(op.Cases, func(one driver.Case) bool {
		return one.Op.Kind == driver.OpSend || one.Op.Kind == driver.OpAwaitStop
	})
}

// mix starts a select that both sends and receives: it can only be one
// process's.
func (r *receiver) mix(s *started, q request) {
	ch, err := r.attachment(q.At).everything()
	for i, one := range q.Op.Cases {
		if one.At != 0 && err == nil {
			s.op.Cases[i].Channel, err = r.attachment(one.At).everything()
		}
	}
	if err != nil {
		s.op.Err = err
		s.op.Finish()
		return
	}
	r.begin(s, ch)
}

// begin starts s on ch, unless it was cancelled before.
func (r *receiver) begin(s *started, ch driver.Channel) {
	r.mu.Lock()
	cancelled := s.cancelled
	if !cancelled {
		s.ch = ch
	}
	r.mu.Unlock()
	if cancelled {
		s.op.Err = errToldTo
		s.op.Finish()
		return
	}
	ch.Start(s.op)
}

// ended tells the outcome. A receive ends here before its home has heard that;
// what a law does next goes another way to the home and could come first. So the
// home is asked for something before: what was said earlier it has heard then.
func (r *receiver) ended(id uint64, ch driver.Channel, op *driver.Op) {
	switch op.Kind {
	case driver.OpRecv, driver.OpTake, driver.OpAwaitStop, driver.OpSelect:
		if ch != nil {
			ch.Stats()
		}
	}
	r.say(reply{ID: id, Outcome: outcome{Result: resultOf(op)}}, op.Err)
}

func (r *receiver) cancel(id uint64) {
	r.mu.Lock()
	s := r.started[id]
	if s == nil {
		r.mu.Unlock()
		return
	}
	s.cancelled = true
	ch := s.ch
	r.mu.Unlock()
	if ch != nil {
		ch.Cancel(s.op, errToldTo)
	}
}
