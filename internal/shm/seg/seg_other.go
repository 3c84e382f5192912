//go:build !linux

package seg

import (
	"context"
	"os"
	"runtime"

	"github.com/handoff-go/handoff/internal/shm/bell"
)

func unsupported() error { return unsupportedOn(runtime.GOOS) }

// Place does not exist here.
type Place struct{}

// Life does not exist here.
type Life struct{ *bell.Bell }

// Segment does not exist here.
type Segment struct{}

// At is refused here.
func At(Where) (*Place, error) { return nil, unsupported() }

// Memory is refused here.
func Memory(int64, Maker) (*os.File, error) { return nil, unsupported() }

// List is refused here.
func List() ([]string, error) { return nil, unsupported() }

// Open is refused here.
func (p *Place) Open(context.Context, int64, Maker) (*Segment, bool, error) {
	return nil, false, unsupported()
}

// Close does nothing.
func (p *Place) Close() error { return nil }

// Key is refused here.
func (p *Place) Key() ([2]uint64, error) { return [2]uint64{}, unsupported() }

// Join is refused here.
func (p *Place) Join(ID) (*Life, error) { return nil, unsupported() }

// Alive says yes, as nothing is known.
func (p *Place) Alive(ID) bool { return true }

// Reach is refused here.
func (p *Place) Reach(ID) (*bell.Ringer, error) { return nil, unsupported() }

// Forget does nothing.
func (p *Place) Forget(ID) {}

// Others returns nothing.
func (p *Place) Others() []Where { return nil }

// Leave does nothing.
func (l *Life) Leave() error { return nil }

// Bytes returns nothing.
func (s *Segment) Bytes() []byte { return nil }

// Place returns nothing.
func (s *Segment) Place() *Place { return nil }

// Close does nothing.
func (s *Segment) Close() error { return nil }

// Remove does nothing.
func (s *Segment) Remove() error { return nil }

// Named says no.
func (s *Segment) Named() bool { return false }

// Seat takes a seat for a moment.
func (s *Segment) Seat(uint32) (func(), bool, error) { return nil, false, unsupported() }
