//go:build !linux

package bell

import (
	"os"
	"time"
)

// Bell does not exist here: no place for one is given out.
type Bell struct{}

// Wait says that there is no bell.
func (b *Bell) Wait(time.Time) (rung bool, err error) { return false, os.ErrClosed }

// Hung says that there is no bell.
func (b *Bell) Hung() bool { return false }

// Close does nothing.
func (b *Bell) Close() error { return nil }

// Ringer does not exist here.
type Ringer struct{}

// Ring says that nobody hears it.
func (r *Ringer) Ring() error { return ErrGone }

// Alive says that nobody is.
func (r *Ringer) Alive() bool { return false }

// Gone is closed.
func (r *Ringer) Gone() <-chan struct{} {
	gone := make(chan struct{})
	close(gone)
	return gone
}

// Close does nothing.
func (r *Ringer) Close() error { return nil }
