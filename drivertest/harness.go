package drivertest

import (
	"context"
	"iter"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Case is one case of a select, in whatever form the subject has them. The suite
// only passes them on to the subject they came from.
type Case any

// Stats are the figures a subject reports.
type Stats = driver.Stats

// Delivery is a held value. Settling it is done through the subject's own
// methods, so that their errors are judged and not the adapter's.
type Delivery[T any] struct {
	Value   T
	Attempt int
	Header  map[string]string

	Done        func() error
	Return      func() error
	ReturnAfter func(time.Duration) error
	Reject      func(reason string) error
	Extend      func(time.Duration) error
}

// Chan is a channel as the laws see it: the methods of handoff.Chan, with the
// errors of package driver. What a subject lacks it leaves to a method that
// fails; the suite does not call it unless the feature is declared.
type Chan[T any] interface {
	Send(ctx context.Context, v T) error
	TrySend(v T) (bool, error)
	SendAll(ctx context.Context, vs []T) (int, error)
	Recv(ctx context.Context) (T, error)
	TryRecv() (T, bool, error)
	RecvInto(ctx context.Context, buf []T) (int, error)
	Take(ctx context.Context) (Delivery[T], error)
	TakeInto(ctx context.Context, buf []Delivery[T]) (int, error)
	// TakeDone takes and confirms, without an allocation of the adapter's own.
	TakeDone(ctx context.Context) (T, error)
	All(ctx context.Context) iter.Seq2[T, error]
	Deliveries(ctx context.Context) iter.Seq2[Delivery[T], error]
	Close() error
	Stop(reason string) error
	Detach() error
	Len() int
	Cap() int
	Stats() Stats

	OnSend(v T, do func()) Case
	OnSendVar(p *T, do func()) Case
	OnRecv(do func(v T, ok bool)) Case
	OnTake(do func(d Delivery[T], ok bool)) Case
	OnStop(do func(reason string)) Case
}

// Spec is what a law asks of the channel it wants.
type Spec struct {
	Slots                int
	Name                 string
	SendTimeout          time.Duration
	MaxHold              time.Duration
	MaxAttempts          int
	DeadLetter           string // a URL got from Harness.DeadLetter
	CloseWhenSendersGone bool

	// OneWay makes the first attachment one that may only send, and all others
	// attachments that may only receive.
	OneWay bool
}

// Maker makes a fresh channel. n is how many attachments to it are wanted; the
// result has that many, the first of which made the channel. Subjects without
// FeatureAttachments are asked for one only. The maker cleans up with t.Cleanup.
type Maker[T any] func(e *Env, s Spec, n int) []Chan[T]

// Selector is a select made once and used many times.
type Selector interface {
	Select(ctx context.Context) (int, error)
	SelectFirst(ctx context.Context) (int, error)
	Enable(i int, on bool)
}

// Node is the payload of the laws about pointers and garbage collection.
type Node struct {
	ID   int
	Data *[]int
}

// BigBytes is the size of the big payload that Go's own channels still carry;
// HugeBytes is one they refuse.
const (
	BigBytes  = 60_000
	HugeBytes = 96 << 10
)

// Big and Huge are the big payloads.
type (
	Big  [BigBytes]byte
	Huge [HugeBytes]byte
)

// Dead is what arrives at a dead letter.
type Dead struct {
	Value    int
	Reason   string
	Attempts int
	From     string
}

// DeadLetter is a dead letter channel a law can look into.
type DeadLetter struct {
	URL string
	Try func() (Dead, bool)
}

// Event is something the subject told about itself.
type Event struct {
	Kind, Channel, Op, Reason string
}

// Harness is a subject of the suite: how to make its channels, how to select
// over them, and which features it declares. A field may be nil if the feature
// that needs it is not declared.
type Harness struct {
	Name string
	Has  Features

	// InBubble says that the subject's channels block in this process only, so
	// that scripted laws run inside a testing/synctest bubble.
	InBubble bool

	// Far says that an operation of the subject crosses a process or a machine,
	// and takes a hundred times as long as one that does not: laws that repeat
	// something very often do it a tenth as often.
	Far bool

	// Several says that channels of the subject are decided in several places, so that
	// a select with a default may end with ErrContended: L6.
	Several bool

	// Asks says that a select which waits is asked before it takes effect, so that what comes
	// behind it may find more slots free than one, once it has answered.
	Asks bool

	// NeverEnding says that the context of laws that do not end it themselves is
	// one that never ends: a subject may wait in another way then. Operations
	// left blocked are freed by Detach, so scripted laws need that feature.
	NeverEnding bool

	Int     Maker[int]
	Empty   Maker[struct{}]
	Text    Maker[string]
	Bytes   Maker[[]byte]
	Big     Maker[Big]
	Huge    Maker[Huge]
	Pointer Maker[*Node]
	Any     Maker[any]

	// Nil returns the zero channel.
	Nil func() Chan[int]

	Select       func(ctx context.Context, cases ...Case) (int, error)
	SelectFirst  func(ctx context.Context, cases ...Case) (int, error)
	NewSelector  func(cases ...Case) Selector
	Default      func(do func()) Case
	After        func(d time.Duration, do func()) Case
	OnNative     func(c <-chan int, do func(v int, ok bool)) Case
	OnNativeSend func(c chan<- int, v int, do func()) Case

	// Remote makes a case out of a claimant; see FeatureClaims.
	Remote func(c *Claimant) Case

	DeadLetter func(e *Env, slots int) DeadLetter
	Events     func(func(Event)) (stop func())
	WithHeader func(ctx context.Context, key, value string) context.Context

	// OpOf returns what an error says of operation and channel.
	OpOf func(err error) (op, channel string, ok bool)
	// ReasonOf returns the words a receiver rejected with.
	ReasonOf func(err error) string
}
