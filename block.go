package handoff

import (
	"context"
	"strings"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// Block is memory of the medium's own: borrowed by a sender, which fills it in place and sends it, or
// taken by a receiver, which reads it in place. Nothing is copied, and nothing allocated, however
// large it is: custody of the memory itself moves. It is a small value and may be copied and passed on;
// what is done with one copy is done with all.
//
// A block that was sent, released or returned is spent: Bytes is nil, and SendBlock, Release and
// Return are ErrSettled. So is a taken one whose hold has ended otherwise (MaxHold, Detach). What cannot be
// found out is the use of a slice that Bytes returned before: it is memory that somebody else has
// now. After Detach such a slice leads to memory that stays, and that nobody else sees any more only
// if it was the last attachment.
type Block struct {
	Attempt int // of a taken one: 1 the first time, more after every return; of a borrowed one 0

	l    *link
	name string
	loan driver.Loan // of a borrowed one
	hold driver.Hold // of a taken one
}

// Borrow returns a block of n bytes, whose contents are anything, to be filled and to be sent by
// SendBlock of the same end, or given back by Release. A process that dies gives back what it has borrowed.
//
// T is []byte or string; else, and in a process or on a medium that lends no memory of its own, it is
// ErrUnsupported (shared memory does, for now). ErrTooLarge if n is more than MaxValue, ErrFull if there is not so much left, ErrConflict
// if n is negative, ErrDetached, or the context's error if that has ended: it does not wait. The zero
// Sender waits until ctx ends.
func (s Sender[T]) Borrow(ctx context.Context, n int) (Block, error) {
	at := s.s
	if at == nil {
		return Block{}, opError("borrow", "", forever(ctx))
	}
	lends, err := at.borrower()
	if err == nil && background(ctx).Err() != nil {
		err = fault.Cancelled(ctx)
	}
	if err != nil {
		return Block{}, at.fail("borrow", err)
	}
	loan, err := lends.Borrow(n)
	if err != nil {
		return Block{}, at.fail("borrow", err)
	}
	return Block{l: at.far.link, name: at.title(), loan: loan}, nil
}

// SendBlock sends the block b, which this end has borrowed, as Send sends a value, with the same errors. With
// nil, and with ErrInDoubt, b is spent; with any other error it is the caller's as it was. A header
// (WithHeader) does not travel with a block: ErrUnsupported.
func (s Sender[T]) SendBlock(ctx context.Context, b Block) error {
	at := s.s
	if at == nil {
		return opError("send", "", forever(ctx))
	}
	ctx = background(ctx)
	_, err := at.borrower()
	switch {
	case err != nil:
	case b.loan.ID == 0 || b.l != at.far.link:
		err = fault.Because(ErrSettled, "it is no block of this attachment, to be sent")
	case headerOf(ctx) != nil:
		err = fault.Because(ErrUnsupported, "a header beside a block")
	default:
		r := newRun(driver.OpSend)
		r.op.Loan = b.loan
		err = r.run(ctx, at.far.link, at.timeout, ErrTimeout)
		r.putAway()
	}
	return at.fail("send", err)
}

// TakeBlock is Take of a value that is read where it lies. Until Release, which confirms it, or Return
// it is held: if this process dies it is back in its place. The bytes are not to be written. A header that
// came with the value is not shown.
//
// Errors: those of Take and those of Borrow.
func (r Receiver[T]) TakeBlock(ctx context.Context) (Block, error) {
	at := r.r
	if at == nil {
		return Block{}, opError("take", "", forever(ctx))
	}
	if _, err := at.borrower(); err != nil {
		return Block{}, at.fail("take", err)
	}
	run := newRun(driver.OpTake)
	defer run.putAway()
	op := &run.op
	op.Max, op.InPlace = 1, true
	err := run.run(background(ctx), at.far.link, 0, nil)
	if err == nil && len(op.Got) == 0 {
		err = errNothing
	}
	if err != nil {
		return Block{}, at.fail("take", err)
	}
	return Block{Attempt: op.Got[0].Attempt, l: at.far.link, name: at.title(), hold: op.Got[0].Hold}, nil
}

// borrower is what lends blocks of the channel, which carries bytes as they are.
func (at *attachment[T]) borrower() (driver.Borrower, error) {
	if bad := at.bad(); bad != nil {
		return nil, bad
	}
	if at.far == nil {
		return nil, fault.Because(ErrUnsupported, "a block within a process, where a pointer moves for nothing")
	}
	if !strings.HasPrefix(at.far.codec.Fingerprint(), "raw:") {
		return nil, fault.Because(ErrUnsupported, "a block of values that are encoded: T must be []byte or string")
	}
	if b, ok := at.far.ch.(driver.Borrower); ok {
		return b, nil
	}
	return nil, fault.Because(ErrUnsupported, "a block on this medium")
}

// Bytes is the memory, nil if b is spent, or the zero Block. To be asked for again after every wait.
func (b Block) Bytes() []byte {
	switch {
	case b.l == nil:
		return nil
	case b.loan.ID != 0:
		return b.l.ch.(driver.Borrower).Memory(b.loan)
	}
	return b.l.ch.(driver.Borrower).Held(b.hold)
}

// Release gives the memory back: a borrowed block unsent, a taken one read, which confirms its value as
// Delivery.Done does. ErrSettled if b is spent, or the zero Block: what was read of a taken one
// may then be another value's.
func (b Block) Release() error {
	if b.l != nil && b.loan.ID != 0 {
		return opError("release", b.name, b.l.ch.(driver.Borrower).Repay(b.loan))
	}
	return b.settle(driver.OpDone, "release")
}

// Return gives a taken block back to the place its send order gave it, as Delivery.Return does. A
// borrowed one has no such place: ErrSettled.
func (b Block) Return() error {
	if b.loan.ID != 0 {
		return opError("return", b.name, ErrSettled)
	}
	return b.settle(driver.OpReturn, "return")
}

func (b Block) settle(k driver.Kind, op string) error {
	if b.l == nil {
		return opError(op, b.name, ErrSettled)
	}
	r := newRun(k)
	defer r.putAway()
	r.op.Hold, r.op.InPlace = b.hold, true
	return opError(op, b.name, r.call(b.l))
}
