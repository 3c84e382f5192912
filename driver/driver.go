package driver

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/handoff-go/handoff/internal/ticket"
)

// Ticket is one blocked operation with its state word. See [ticket.Ticket], which
// is internal: this part of the seam is not for third parties yet.
type Ticket = ticket.Ticket

// Medium opens channels of one URL scheme.
type Medium interface {
	// Open attaches to the channel u names. ctx bounds the opening only.
	// A query parameter of u the medium does not know is ErrConflict; one that
	// contradicts the channel as it exists is too. A type that does not match
	// is ErrTypeMismatch. Both go to whoever came second; what he does not say, he
	// accepts. What the medium cannot honour is ErrUnsupported. Open asks for no
	// more right than cfg says.
	Open(ctx context.Context, u *url.URL, cfg Config) (Channel, error)
}

// Config is what the opener asks for. The root package has already removed the
// parameters below from the URL's query; what is left is the medium's own.
type Config struct {
	Name    string // for errors and events; "" takes the URL's
	Send    bool   // the attachment will send
	Receive bool   // the attachment will receive
	Slots   int    // capacity asked for, -1 when not said
	Create  Create
	Type    string // fingerprint of the value type and its encoding
	Schema  string // more about it for a home that speaks JSON; see codec.SchemaOf
	// MaxValue is the largest encoded value in bytes, 0 for the medium's default.
	MaxValue int
	// MaxHold bounds a hold, 0 for the medium's default.
	MaxHold time.Duration
	// SendTimeout ends a Send or SendAll nobody meets with ErrTimeout, 0 for never.
	// The layer above enforces it by Cancel; a medium may use it as a hint.
	SendTimeout time.Duration
	MaxAttempts int    // 0 for the medium's default
	DeadLetter  string // URL, "" for none
	// CloseWhenSendersGone closes the channel when its last sending attachment
	// is gone.
	CloseWhenSendersGone bool
	OpTimeout            time.Duration // for calls without a context, 0 for 5 s
	CancelGrace          time.Duration // how long a cancelled send waits for its answer, 0 for 1 s
}

// Create says what Open does about a channel that exists or does not.
type Create uint8

const (
	CreateYes Create = iota // make it if it is not there
	CreateNo                // it must be there, else ErrNotFound
	CreateNew               // it must not be there, else ErrConflict
)

// Channel is one attachment to one channel. All methods may be called from any
// goroutine at any time.
type Channel interface {
	// Info returns what is fixed for the life of the attachment.
	Info() Info

	// Start begins op and returns without blocking on a peer, a disk or a lock
	// that is held across either. The medium owns op until op.Finish; op may
	// finish before Start returns. Operations that one goroutine starts in turn
	// take effect in that order. A mistake in op is an error of op.
	Start(op *Op)

	// Cancel asks for op to end soon, because of why. An operation that had no
	// effect finishes with why; one that took effect finishes as it did; a send
	// whose value has left and whose answer does not come within CancelGrace
	// finishes with why and ErrInDoubt. Cancel of a finished op does nothing. It
	// does not block.
	Cancel(op *Op, why error)

	// Stats returns the last known figures with the time they were known. It may
	// ask the home, for a second at most. The suite needs figures that are as
	// young as the call. After Detach they are the last that were known.
	Stats() Stats

	// Detach ends the attachment: operations under way finish with ErrDetached,
	// held values return to their place, the channel stays open. It returns when
	// that is done or ctx ends; in either case it has begun, and ends by itself. A
	// second call returns ErrDetached.
	Detach(ctx context.Context) error
}

// Info describes an attachment.
type Info struct {
	Name  string // the channel's own name
	Slots int    // exact capacity
	// Home identifies who decides for this channel. Cases of one select whose
	// channels have the same non-empty Home are decided there together. "" with
	// SelectNone.
	Home string
	Can  Capabilities
}

// Capabilities is what a medium can do, as data. The zero value can do plain
// sends and receives over slots and nothing else.
type Capabilities struct {
	Rendezvous bool // capacity 0 is a true rendezvous
	Hold       bool // Take, with Done, Return and Reject
	Stop       bool // Stop and OnStop
	DeadLetter bool
	Select     SelectScope
	Survives   Survival
}

// SelectScope says with what a case on this channel may share a select.
type SelectScope uint8

const (
	SelectNone   SelectScope = iota // no case in a select of several
	SelectHome                      // cases of the same Home only
	SelectClaims                    // any cases: the medium claims tickets
)

// Survival says what a channel outlives. Nothing today survives a restart or a
// loss of power; those are for media to come.
type Survival uint8

const (
	SurvivesNothing   Survival = iota // gone with the process
	SurvivesPeers                     // lives while its home or an attachment of any process does
	SurvivesRestart                   // on disk, but not flushed
	SurvivesPowerLoss                 // flushed before a send returns
)

// Kind is what an Op does.
type Kind uint8

const (
	OpSend      Kind = iota + 1 // Items in order; N counts those that left custody
	OpRecv                      // up to Max values, confirmed; waits for the first only
	OpTake                      // the same, held
	OpDone                      // settle Hold: confirm
	OpReturn                    // settle Hold: give back, after Delay
	OpReject                    // settle Hold: refuse, for Reason
	OpExtend                    // push the end of Hold to Delay from now
	OpClose                     // close for everyone; ErrClosed if it was
	OpStop                      // ask the senders to end, for Reason
	OpAwaitStop                 // finishes when the senders are asked to end; Reason says why
	OpHeard                     // Hold, of an OpTake with Unheard, has reached its receiver
	OpSelect                    // exactly one of Cases, all on channels of one Home
	OpLook                      // which of Cases, all on channels of one Home, are ready; nothing takes effect
)

// Op is one operation. The fields above the line are set by the caller before
// Start and not touched by it until Finish; those below are set by the medium
// before Finish.
type Op struct {
	Kind   Kind
	Try    bool // never wait: finish at once, with NotReady if nothing could be done
	Items  []Item
	Max    int
	Hold   Hold
	Delay  time.Duration
	Reason string

	// Plain, on an OpTake, says that the far end is a plain receive: the value
	// is held only until its receiver's home has heard that it arrived. Such a
	// hold has no MaxHold, is confirmed by OpDone like any other, and counts as
	// a receive, not as a Take, for a send that tries. All values of the op have the
	// same hold, which one OpDone confirms and one OpReturn gives back. It is how a
	// home serves OpRecv over a link.
	Plain bool
	// Unheard, on an OpTake, says that the receiver is elsewhere: whether a value
	// reached it is known by OpHeard, or for a plain one by OpDone, or by OpReturn
	// with Unseen. Until then a sender of a value without a slot that is
	// cancelled goes on waiting, as its outcome is not known. Plain implies it.
	Unheard bool
	// Unseen, on an OpReturn, says that no receiver saw the value: it goes back
	// to its place with its attempt not raised.
	Unseen bool

	// Loan, of an OpSend without Items, is the block that is sent: N is 1 if it left. Otherwise it is
	// on loan still, unless Err is ErrInDoubt.
	Loan Loan
	// InPlace, of an OpTake, says that the values need not be copied: each is the medium's own memory,
	// which is not to be written, and not to be read once the hold has ended. An operation that settles
	// it says so too.
	InPlace bool

	// Cases, of an OpSelect, are what it chooses from. It is started on the
	// channel of any of them, and only where Can.Select is SelectHome or more.
	// Exactly one takes effect, among those ready at one look any with equal
	// chance, or with First the first in order; none if the select ends with
	// NotReady (Try: at one moment no case was ready) or, once cancelled, with why.
	// A chosen case may itself fail: its Op then has the error.
	// It ends with ErrTimeout if After is positive, so long has passed and no case
	// was chosen; a case that is chosen and waits for a settlement goes on waiting.
	Cases []Case
	First bool
	After time.Duration

	// Ticket is set on an OpSelect, never with Try or After, some of whose rivals
	// lie elsewhere: it is the word by which all of them are decided. The medium
	// must win it for index Case, or claim and confirm it, before one of Cases takes
	// effect, and says so in Won; without that the op finishes without effect: when
	// the ticket is gone, or was taken back by Cancel. Number names the turn: it is
	// the same in all ops of one turn, and no other of this process has it.
	Ticket *Ticket
	Case   int
	Number uint64

	// Bid is the same select at its home, where package hub serves it: its owner
	// has to be asked. nil where the home decides.
	Bid *Bid

	// ---- results ----

	N        int    // OpSend: how many left custody
	Got      []Item // OpRecv, OpTake. What room it has at Start may be used for it
	NotReady bool   // Try only
	Chosen   int    // OpSelect: index of the case that took effect; of no meaning after NotReady or Err
	Won      bool   // with Ticket: it is won. Err is then that of the case
	Ready    int    // OpLook: cases that are ready
	Times    uint64 // OpLook: how often one was since the first look; unchanged: none was, since the look before
	Err      error

	// Note is the medium's own, from Start on: what Cancel needs to find the
	// operation. Whoever reuses an Op must not let a late Cancel meet it.
	Note any

	done func(*Op)
}

// Case is one case of an OpSelect: an OpSend of one value, an OpRecv or OpTake of
// one, or an OpAwaitStop. Op is never started or finished by itself; its results
// are set, if it is the one chosen, before the OpSelect finishes. A Case without a
// Channel is one that is ready at once.
type Case struct {
	Channel Channel
	Op      *Op
}

// Bid is how a home asks the owner of a select that is decided elsewhere.
type Bid struct {
	Node   [16]byte // the owner's process; with Number the order of tickets
	Number uint64
	// Claim asks the owner for its ticket: Granted or Cancel is the answer. Release
	// gives it back. Bind says that a send is chosen, which a holder has not settled
	// yet. They may be called under locks of the home, and do not wait.
	Claim, Release, Bind func()

	// Note is the home's own, from Start on.
	Note any
}

// Performer is what a Channel has besides that can use a goroutine which has nothing
// else to do until an operation has ended.
type Performer interface {
	// Perform is Start, and may work for op on the caller's goroutine, which may
	// block. It returns when op has finished, soon after ctx has ended or within, if
	// positive, is over, or any time before: that op has finished is told by Finish
	// alone.
	Perform(ctx context.Context, op *Op, within time.Duration)
}

// Poster is what a Channel at its home may have besides: a send that takes no Op.
type Poster interface {
	// Post sends all of items as an OpSend does, if none of them has to wait, and
	// else does nothing; it reports which. Values and headers are the channel's from
	// then on. then, if it is not nil, finishes the receive that got values, and is to
	// be called soon: whoever has an answer to write may write it before.
	Post(items []Item) (ok bool, then func())
}

// Bidder is what a Channel at its home has besides, if package hub is to serve
// selects on it that are decided elsewhere.
type Bidder interface {
	// Granted tells that the owner of op has granted what Bid.Claim asked for.
	Granted(op *Op)
	// Aside begins op, which has finished with a value that its owner sends back, again,
	// in the places it had; but until Back it is passed over by all but a detachment.
	// It finishes once more.
	Aside(op *Op)
	// Back ends that, if op has not finished.
	Back(op *Op)
}

// Claimer is what a Channel with SelectClaims has besides.
type Claimer interface {
	// Freed tells that op.Ticket, which may have been found claimed, was released.
	Freed(op *Op)
}

// Item is one value on its way. Value belongs to whoever holds the Item; a
// medium copies what it keeps beyond Finish.
type Item struct {
	Value   []byte
	Header  map[string]string // nil when there is none
	Attempt int               // 1 the first time
	Hold    Hold              // OpTake
}

// Hold names a taken value to its channel. The medium gives it its meaning; a
// hold is settled once, and any later settlement is ErrSettled.
type Hold struct{ ID, Generation uint64 }

// NewOp returns an Op whose end is told to done, on a goroutine of the medium's
// choice, which must not block.
func NewOp(kind Kind, done func(*Op)) *Op { return &Op{Kind: kind, done: done} }

// OnFinish sets what NewOp takes, for an Op made as a literal.
func (op *Op) OnFinish(done func(*Op)) { op.done = done }

// Finish ends op. The medium calls it exactly once, with no lock held.
func (op *Op) Finish() { op.done(op) }

// Stats are the figures of a channel. Far from the home they are the last known.
type Stats struct {
	Slots            int
	Len              int // values ready to be taken
	Held             int // values taken and not settled
	SendersWaiting   int
	ReceiversWaiting int
	Senders          int // attachments that may send
	Receivers        int
	Sent             uint64 // sends that left custody
	Received         uint64 // values confirmed
	Redelivered      uint64 // hand-outs with an attempt above 1
	Rejected         uint64
	Closed           bool
	Stopped          bool
	Matching         bool // of those that wait two have met, and the owner of a select elsewhere is asked whether it agrees
	AsOf             time.Time
}

// Borrower is the optional ability to lend blocks of the medium's own memory, to
// be filled in place, sent without a copy, and read in place by who takes them. A
// Channel that can do it implements it; found by type assertion. A block is sent
// by an OpSend with Op.Loan, and taken by an OpTake with Op.InPlace.
type Borrower interface {
	// Borrow lends a block of n bytes, whose contents are anything. ErrTooLarge if so many can never
	// be had, ErrFull if there are not so many now.
	Borrow(n int) (Loan, error)
	// Memory is the block: nil once it was sent or given back.
	Memory(Loan) []byte
	// Held is the memory of a value that was taken in place: nil once it was settled, or its hold
	// has ended.
	Held(Hold) []byte
	// Repay gives a block back unsent. ErrSettled if it was sent or given back.
	Repay(Loan) error
}

// Loan names a block on loan to its channel. The zero one is none.
type Loan struct {
	ID, Generation uint64
	Bytes          int // how many it has
}

// Lister is the optional ability of a Medium to say which channels a home keeps.
// A Medium that can do it implements it; found by type assertion.
type Lister interface {
	// List returns the channels of the home that u names, in the order of their
	// names, as they were a moment ago. A channel that u names beside the home is
	// ignored. ErrUnreachable if there is nobody to ask.
	List(ctx context.Context, u *url.URL) ([]Listed, error)
	// Find returns what List says of the channel that u names, ErrNotFound if it is
	// not there.
	Find(ctx context.Context, u *url.URL) (Listed, error)
}

// Listed is one channel of a home.
type Listed struct {
	Name  string
	Type  string // fingerprint of its values, "" while no typed end has opened it
	Stats Stats
	// Attached are those who have it open, where the medium knows; nil where it does not.
	Attached []Attached
}

// Attached is an attachment as others see it.
type Attached struct {
	Pid           int // of its process, which says so itself
	Since         time.Time
	Send, Receive bool // what it may do
}

var registry struct {
	sync.RWMutex // guards media
	media        map[string]Medium
}

// Register makes m the medium of scheme. A medium calls it in its init; a
// second registration of one scheme panics, as it is a mistake of the program.
func Register(scheme string, m Medium) {
	registry.Lock()
	defer registry.Unlock()
	if registry.media == nil {
		registry.media = map[string]Medium{}
	}
	if _, ok := registry.media[scheme]; ok {
		panic("handoff/driver: scheme " + scheme + " registered twice")
	}
	registry.media[scheme] = m
}

// Lookup returns the medium of scheme.
func Lookup(scheme string) (Medium, bool) {
	registry.RLock()
	defer registry.RUnlock()
	m, ok := registry.media[scheme]
	return m, ok
}

// Schemes returns the registered schemes in no order.
func Schemes() []string {
	registry.RLock()
	defer registry.RUnlock()
	var names []string
	for name := range registry.media {
		names = append(names, name)
	}
	return names
}
