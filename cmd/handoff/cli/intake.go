package cli

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/handoff-go/handoff/cmd/handoff/internal/frame"
)

// intake reads values on a goroutine, so that whoever wants them can also be
// interrupted. It is one value ahead and no more.
type intake struct {
	values chan []byte
	end    chan error // one value, before values is closed
	halt   chan struct{}
	got    atomic.Int64
}

// newIntake begins to read. check, which may be nil, refuses a value.
func newIntake(r *frame.Reader, check func([]byte) error) *intake {
	in := &intake{values: make(chan []byte), end: make(chan error, 1), halt: make(chan struct{})}
	go in.run(r, check)
	return in
}

func (in *intake) run(r *frame.Reader, check func([]byte) error) {
	defer close(in.values)
	for {
		v, err := r.Next()
		if err == nil && check != nil {
			err = r.Blame(check(v))
		}
		if err != nil {
			in.end <- err
			return
		}
		in.got.Add(1)
		select {
		case in.values <- v:
		case <-in.halt:
			in.end <- io.EOF
			return
		}
	}
}

// next waits for one value and returns what is there, up to most. With the last
// values, or after them, comes the reason of the end, io.EOF if all is well.
func (in *intake) next(ctx context.Context, most int) (vs [][]byte, err error) {
	var v []byte
	ok := false
	select {
	case v, ok = <-in.values:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for bytes := 0; ok; {
		vs = append(vs, v)
		bytes += len(v)
		if len(vs) == most || bytes >= batchBytes {
			return vs, nil
		}
		select {
		case v, ok = <-in.values:
		default:
			return vs, nil
		}
	}
	return vs, <-in.end
}

// batchBytes is about how many bytes of values go in one crossing.
const batchBytes = 256 << 10

// read is how many values were read by now.
func (in *intake) read() int { return int(in.got.Load()) }

// stop has the goroutine end when it has read what it is reading.
func (in *intake) stop() { close(in.halt) }
