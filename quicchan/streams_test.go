package quicchan_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

// sluggish is a listener whose connections are read, from some time on, only if
// they are not the first.
type sluggish struct {
	net.Listener
	mu    sync.Mutex // guards conns
	conns []*deaf
}

// deaf is a connection that is not read while it is stuck.
type deaf struct {
	net.Conn
	mu    sync.Mutex
	stuck chan struct{} // not nil: until it is closed
}

func (s *sluggish) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &deaf{Conn: conn}
	s.conns = append(s.conns, d)
	return d, nil
}

func (d *deaf) Read(b []byte) (int, error) {
	d.mu.Lock()
	stuck := d.stuck
	d.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	return d.Conn.Read(b)
}

// stick has the connection not read any more, until free is called.
func (d *deaf) stick() (free func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stuck = make(chan struct{})
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		close(d.stuck)
		d.stuck = nil
	})
}

// pour sends n values of 64 KiB on a channel that nobody reads, and returns when so
// many are under way that no more go out.
func pour(ch handoff.Chan[string], n int) (all *sync.WaitGroup, errs chan error) {
	all, errs = new(sync.WaitGroup), make(chan error, n)
	large := strings.Repeat("x", 64<<10)
	for range n {
		all.Go(func() { errs <- ch.Send(nil, large) })
	}
	return all, errs
}

// TestStuckStream: a channel whose stream is not read, with more under way than its
// window holds, does not keep another one of the same connection waiting; where
// both share a stream it does.
func TestStuckStream(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared=%v", shared), func(t *testing.T) {
			var s sluggish
			// Nobody is to take the stream that is stuck for a broken one.
			_, url := serve(t, hub.Options{Heartbeat: -1, MaxWaitBytes: 64 << 20}, func(l net.Listener) net.Listener {
				s.Listener = l
				return &s
			})
			if shared {
				url += "&stream=shared"
			}
			stuck, free := open(t, fmt.Sprintf(url, "stuck"), handoff.Slots(100)), open(t, fmt.Sprintf(url, "free"), handoff.Slots(1))
			s.mu.Lock()
			streams, first := len(s.conns), s.conns[0]
			for _, c := range s.conns {
				if c.RemoteAddr().String() != first.RemoteAddr().String() {
					t.Error("two connections")
				}
			}
			s.mu.Unlock()
			if want := map[bool]int{true: 1, false: 2}[shared]; streams != want {
				t.Fatalf("%d streams, want %d", streams, want)
			}
			release := first.stick()
			defer release()
			all, errs := pour(stuck, 80) // 5 MiB, five times the window
			moves := make(chan error, 1)
			go func() {
				for range 100 {
					if err := free.Send(nil, "x"); err != nil {
						moves <- err
						return
					}
					if _, err := free.Recv(nil); err != nil {
						moves <- err
						return
					}
				}
				moves <- nil
			}()
			wait := patience
			if shared {
				wait = 300 * time.Millisecond
			}
			select {
			case err := <-moves:
				if shared || err != nil {
					t.Errorf("the other channel moved: %v", err)
				}
			case <-time.After(wait):
				if !shared {
					t.Error("the other channel is held up")
				}
			}
			if n := len(errs); n > 0 {
				t.Errorf("%d values of the channel that is stuck were sent", n)
			}
			release()
			all.Wait()
			for range 80 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if shared {
				if err := <-moves; err != nil {
					t.Error(err)
				}
			}
		})
	}
}
