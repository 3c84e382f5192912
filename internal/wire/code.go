package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/handoff-go/handoff/internal/fault"
)

// Code is an outcome in a frame.
type Code uint16

// The codes. Those of operations stand for the sentinel errors; those from
// CodeVersion on are for BYE only.
const (
	CodeDone Code = iota
	CodeCancelled
	CodeClosed
	CodeInDoubt
	CodeRejected
	CodeAbandoned
	CodeSettled
	CodeContended
	CodeTimeout
	CodeUnreachable
	CodeUnsupported
	CodeTooLarge
	CodeTypeMismatch
	CodeConflict
	CodeNotFound
	CodeFull
	CodeDenied
	CodeDetached
	CodeOther

	CodeVersion   Code = 32
	CodeProtocol  Code = 33
	CodeLimit     Code = 34
	CodeGoingAway Code = 35
	CodeResume    Code = 36
)

// ErrCancelled is what the home cancels an operation with when CANCEL asks for
// it. It crosses as CodeCancelled, and the client puts its own reason there.
var ErrCancelled = errors.New("cancelled by the far end")

// sentinels are the errors of the operation codes.
var sentinels = [...]error{
	CodeCancelled:    ErrCancelled,
	CodeClosed:       fault.ErrClosed,
	CodeInDoubt:      fault.ErrInDoubt,
	CodeRejected:     fault.ErrRejected,
	CodeAbandoned:    fault.ErrAbandoned,
	CodeSettled:      fault.ErrSettled,
	CodeContended:    fault.ErrContended,
	CodeTimeout:      fault.ErrTimeout,
	CodeUnreachable:  fault.ErrUnreachable,
	CodeUnsupported:  fault.ErrUnsupported,
	CodeTooLarge:     fault.ErrTooLarge,
	CodeTypeMismatch: fault.ErrTypeMismatch,
	CodeConflict:     fault.ErrConflict,
	CodeNotFound:     fault.ErrNotFound,
	CodeFull:         fault.ErrFull,
	CodeDenied:       fault.ErrDenied,
	CodeDetached:     fault.ErrDetached,
}

var connectionCodes = map[Code]string{
	CodeVersion:   "another version of the wire",
	CodeProtocol:  "protocol error",
	CodeLimit:     "limit exceeded",
	CodeGoingAway: "going away",
	CodeResume:    "the session is not known",
}

// String says what the code means.
func (c Code) String() string {
	switch {
	case c == CodeDone:
		return "done"
	case int(c) < len(sentinels):
		return sentinels[c].Error()
	}
	if s, ok := connectionCodes[c]; ok {
		return s
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// CodeOf splits err into what END carries. An error that is one of the
// sentinels and ErrInDoubt as well is the former in doubt.
func CodeOf(err error) (code Code, inDoubt bool, text string) {
	if err == nil {
		return CodeDone, false, ""
	}
	inDoubt = errors.Is(err, fault.ErrInDoubt)
	for c, sentinel := range sentinels {
		if sentinel == nil || Code(c) == CodeInDoubt || !errors.Is(err, sentinel) {
			continue
		}
		return Code(c), inDoubt, fault.Reason(err)
	}
	switch {
	case inDoubt:
		return CodeInDoubt, false, fault.Reason(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return CodeTimeout, false, err.Error()
	}
	return CodeOther, false, err.Error()
}

// Err is the reverse of CodeOf. cancelled stands where the code is
// CodeCancelled: it is why the client asked for it.
func Err(code Code, inDoubt bool, text string, cancelled error) error {
	if code == CodeDone {
		return nil
	}
	err := cancelled
	switch {
	case code == CodeCancelled && cancelled != nil:
	case int(code) < len(sentinels) && text != "":
		err = fault.Because(sentinels[code], "%s", text)
	case int(code) < len(sentinels):
		err = sentinels[code]
	case code == CodeOther:
		err = errors.New(text)
	default:
		err = fmt.Errorf("%v: %s", code, text)
	}
	if inDoubt {
		err = fault.Doubtful(err)
	}
	return err
}

// Error is why a connection ends: what BYE says.
type Error struct {
	Code Code
	Text string
}

func (e *Error) Error() string { return e.Code.String() + ": " + e.Text }
