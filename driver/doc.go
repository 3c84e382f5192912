// Package driver states what a medium owes to carry a handoff channel.
//
// A user holds a typed Chan; a medium sees bytes, operations and tickets and
// knows nothing of the type. Waiting, deadlines, typing, the choice among local
// cases and error wrapping are written once, above this seam; a medium returns
// raw sentinels (ErrClosed, ErrInDoubt, ...) and never formats a channel name.
//
// docs/medium.md shows step by step how to write one, and drivertest/toy is one,
// in 600 lines that import nothing but this package. The judge is drivertest: Run
// asks for the laws, Seam for what is said here.
//
// # The loop
//
// A [Medium] opens attachments; an attachment is a [Channel]. Everything done on
// one is an [Op]: begun by Start, which never blocks, and ended exactly once by
// Op.Finish, which the medium calls when the outcome is known. An operation that
// has to wait is kept in a list, or at the home; no goroutine waits for it in the
// medium. Cancel asks the medium to end one early. The layer above then still
// waits for Finish, so every operation that was cancelled must finish soon.
//
// Start may be called by any number of goroutines at once. Operations that one
// goroutine starts one after the other on one attachment take effect in that
// order, whatever their kinds: a send, then a close; a receive that was
// cancelled, whose value is back in its place, then the next receive. Between
// attachments there is no order but that of their effects.
//
// A Channel that is a [Performer] is given the goroutine that waits, where only one
// operation is waited for: it may read the answer itself.
//
// Finish is called with no lock held, on any goroutine, from within Start too.
// What it calls does not block, and may start the next operation.
//
// # What each kind owes
//
// The channel is one queue of values in the order their sends took effect, each
// with its sender, in a slot, or with one receiver. The laws are docs/laws.md;
// in short:
//
//   - OpSend: offers Items in order. A value leaves custody when it has a slot or
//     a receiver has confirmed it; N counts these, whatever Err is, and they are
//     the first N. Several items need not be sent in one step, but no value is
//     offered without a slot while the one before has none and is not confirmed,
//     and what has to wait again queues behind all others. With Try there is one
//     item; NotReady unless a slot is free or the first waiting receiver is an
//     OpRecv. On a closed channel: ErrClosed.
//   - OpRecv: Got has one value to Max values, confirmed. It waits for the first
//     only and takes what else is there at that moment, values of blocked senders
//     included. ErrClosed once the channel is closed and no value has a slot. An
//     Err other than nil means that nothing was received.
//   - OpTake: the same, held: each Item has a Hold, and Attempt counts how often
//     the value was handed out, 1 the first time.
//   - OpDone: confirms. A slot is free from then on, not earlier.
//   - OpReturn: the value is ready again in its old place, after Delay, its attempt
//     raised by the next hand-out. Of a value without a slot on a closed channel
//     its Send ends with ErrClosed. ErrAbandoned, and the hold goes on, if the
//     sender of a value without a slot has given up.
//   - OpReject: a waiting Send ends with Because(ErrRejected, Reason); a value in a
//     slot goes to the dead letter, or is dropped with an event. ErrFull, and the
//     hold goes on, if the dead letter has no room.
//   - OpExtend: the hold ends Delay from now.
//   - OpClose: waiting sends end with ErrClosed and keep their values, but not those
//     whose value is held. ErrClosed if it was closed.
//   - OpStop: a wish that the senders end, for good, with the first reason given; the
//     last receiving attachment that ends is one, too. It closes nothing. ErrClosed
//     if the channel is closed.
//   - OpAwaitStop: ends with Reason once there was a stop, at once if there was.
//   - OpSelect: see below. OpHeard: see the end.
//
// Any settlement of a hold that is not this attachment's, or is over, is
// ErrSettled. A kind the medium does not know is ErrUnsupported.
//
// # Cancel
//
// Cancel(op, why) ends op with why if it had no effect. If it took effect first, it
// finishes as it did, and never with why. A value under way to a receive that is
// cancelled goes back unseen: its attempt is not raised. A send whose value is held
// without a slot ends with Doubtful(why) at once, and the holder keeps the value;
// one whose value has left and whose answer does not come ends so after CancelGrace.
// Calls that are not waits (tries, settlements, close, stop) are cancelled with
// ErrUnreachable when OpTimeout is over: they end with why if nothing left, else
// with Doubtful(why). Cancel may come more than once, together with Finish, and
// after it; then it does nothing.
//
// # Detach
//
// Detach ends what the attachment waits for with ErrDetached, as Cancel would;
// what it holds returns, its attempt raised by the next hand-out. Afterwards a
// settlement is ErrSettled, everything else ErrDetached. Channels outlive their
// attachments as Capabilities.Survives says; values lost with one are told as
// EventDropped. The death of the process must come to the same as Detach, once it
// is known; a broken connection alone is not death.
//
// # Memory
//
// Value and Header of an Item are the medium's to read from Start to Finish; it
// copies what it keeps longer. What it hands out in Got is the receiver's: it must
// not be written again, as a decoded value may refer to it. An Op is the medium's
// from Start to Finish, results included.
//
// # Errors
//
// ErrDenied is for an operation the attachment has no right to, by Config.Send and
// Config.Receive. A home that cannot be reached is ErrUnreachable where the operation
// certainly had no effect, and Because(ErrInDoubt, ...) where it may have had one:
// never guess, never send again in silence. [Because] adds a reason, [Doubtful] the
// doubt. What no error can tell, since there is nobody to be told, is an event: see
// [Emit].
//
// # What a medium cannot do
//
// It says so in [Capabilities]. The layer above refuses at open a channel without
// slots (Rendezvous) and a DeadLetter, and when it is asked for a hold (Hold), a
// stop (Stop) and a case in a select (Select); the medium itself refuses at open,
// with ErrUnsupported, every other field of Config it cannot honour, such as
// MaxHold, MaxAttempts or CloseWhenSendersGone. It never weakens a law in silence.
//
// A medium that has dead letters opens Config.DeadLetter itself, where the channel
// is decided, with the type codec.DeadFingerprint(cfg.Type), and buries a value by
// a send of codec.AppendFate and the value's bytes, with its headers, that does not
// wait. It knows no more of the value than that.
//
// # Limits
//
// Whatever a peer says is bounded before memory is allocated for it: length of a
// value (ErrTooLarge, both from Config.MaxValue and what the medium can carry),
// headers, names, operations that wait. An operation that waits costs nobody but
// its own channel.
//
// # Select
//
// With SelectNone a channel takes part in no select but by OpAwaitStop, which takes
// nothing from anybody. With SelectHome cases of channels with the same Info.Home
// come as one OpSelect, started on the channel of any of them: the home decides.
// Info.Home must then differ for what cannot be decided together.
//
// With SelectClaims cases may share a select with any others. Those of one home come
// as one OpSelect with a Ticket, which decides: the medium must win it before a case
// takes effect, in one step where the counterpart is firm (a slot, an operation
// without a ticket, close), else by a claim that it confirms or releases, in ascending
// order of tickets where both sides have one; docs/spec/select.md says why. If the
// ticket is gone the op finishes without effect. Of a ticket that another has claimed
// it is told by Freed (Claimer) when to try again. An OpLook comes before, so that the
// choice is fair, and twice beside a default.
//
// A medium that ends an Op that has a Ticket with ErrUnsupported has SelectHome.
//
// # Serving others
//
// Package hub serves channels of a medium to other processes if it is given a way
// to make them (hub.Options.New). Only then do Plain, Unheard, Unseen and OpHeard
// come: the receiver is then elsewhere, and what it was handed is on its way. Bid comes
// where the channel is a Bidder. Of a Poster it asks first whether a send need not wait.
//
// This seam has no version promise yet.
package driver
