package fault

import "context"

// Fate is what became of an operation that had ended in doubt.
type Fate struct {
	// N is how many values left the custody of the sender: all of them where Err
	// is nil.
	N int
	// Chosen is the case of a select that took effect; -1 if none did, or it was
	// no select.
	Chosen int
	// Err is what the operation would have returned: nil if it was done.
	Err error
}

// Traced is an error that is ErrInDoubt, of an operation whose home can be asked
// what became of it.
type Traced struct {
	Err error
	// Tag names the operation, for people and logs.
	Tag string
	// Ask waits until the outcome is known, or cannot become so.
	Ask func(context.Context) (Fate, error)
}

func (e *Traced) Error() string { return e.Err.Error() + " (tag " + e.Tag + ")" }

func (e *Traced) Unwrap() error { return e.Err }
