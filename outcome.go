package handoff

import (
	"context"
	"errors"

	"github.com/handoff-go/handoff/internal/fault"
)

// Fate is what became of an operation that had ended with ErrInDoubt: N values
// left the custody of their sender, the case Chosen of a select took effect (-1
// for none), and Err is what the operation would have returned, nil if it was
// done.
type Fate = fault.Fate

// Tag returns the tag of the operation that ended in doubt with err: a short text
// for logs, which is in the error's own text too. It is "" if err has none.
func Tag(err error) string {
	if t, ok := errors.AsType[*fault.Traced](err); ok {
		return t.Tag
	}
	return ""
}

// Outcome finds out what became of the operation that ended with inDoubt, an error
// which is ErrInDoubt. While the operation is still under way, or the home waits
// for a connection to come back, it waits, until ctx ends.
//
// The error says that it could not be found out. With ErrUnreachable the home does
// not answer now, and may be asked again. With ErrNotFound it does not know, and
// never will: it was started anew, or has too much else to remember. ErrUnsupported
// is for an error without a tag: there was nobody to ask, or the doubt is the home's
// own, as of a value whose holder has not settled it.
func Outcome(ctx context.Context, inDoubt error) (Fate, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	t, ok := errors.AsType[*fault.Traced](inDoubt)
	if !ok {
		return Fate{Chosen: -1}, opError("outcome", "", fault.Because(ErrUnsupported, "an error without a tag"))
	}
	f, err := t.Ask(ctx)
	if err != nil {
		return Fate{Chosen: -1}, opError("outcome", t.Tag, err)
	}
	return f, nil
}
