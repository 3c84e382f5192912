package wire

import (
	"bytes"
	"testing"
)

// owing is a transport that takes everything at once and writes it when it may block, as
// TLS does. It is for one goroutine at a time.
type owing struct {
	owed, out bytes.Buffer
	asked     chan struct{} // not nil: told of a Write, which then waits for
	broke     chan struct{} // this, and fails
}

func (w *owing) TryWrite(b []byte) (n int, rest bool) {
	w.owed.Write(b)
	return len(b), true
}

func (w *owing) Write(b []byte) (int, error) {
	if w.asked != nil {
		close(w.asked)
		<-w.broke
		return 0, errCut
	}
	w.owed.WriteTo(&w.out)
	return w.out.Write(b)
}

// TestPauseWithRest: what a transport took and has not written when its session is
// paused is neither lost nor written to the next one twice, whether Run was about to
// write the rest or had begun; and what is added before the next one is there does not go
// to the one that is over, also where Run came to it after the pause.
func TestPauseWithRest(t *testing.T) {
	for _, begun := range []bool{false, true} {
		o := NewOutbox()
		o.Keep()
		var want []byte
		send := func() {
			f := &Order{Type: TypeTaken, Channel: 1, Op: uint64(len(want) + 1)}
			want = f.Append(want)
			o.End(f.Append(o.Begin()), false)
			o.FlushNow()
		}
		first := &owing{asked: make(chan struct{}), broke: make(chan struct{})}
		ended := make(chan error, 1)
		run := func(w *owing) { ended <- o.Run(w) }
		if begun {
			go run(first)
			send()
			<-first.asked
		} else {
			o.direct = first.TryWrite
			send() // at once, and leaves a rest
		}
		o.Pause()
		send()
		close(first.broke)
		if !begun {
			go run(first)
		}
		if err := <-ended; (err != nil) != begun || first.out.Len() != 0 {
			t.Fatalf("begun %v: %v, %d bytes written", begun, err, first.out.Len())
		}
		if o.Written() != uint64(len(want)/2) {
			t.Errorf("begun %v: %d bytes were taken, of %d", begun, o.Written(), len(want))
		}
		if err := o.Rewind(0, 0); err != nil {
			t.Fatal(err)
		}
		next := &owing{}
		send()
		o.Close()
		go run(next)
		if err := <-ended; err != nil || !bytes.Equal(next.out.Bytes(), want) || next.owed.Len() != 0 {
			t.Errorf("begun %v: %v, %d bytes came, want %d; %d are owed", begun, err, next.out.Len(), len(want), next.owed.Len())
		}
	}
}
