package quicchan_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
)

var seedFlag = flag.Uint64("seed", 0, "the seed of the datagrams that are lost, 0 for any")

// ether is a line for datagrams of one client that loses some and, while it is
// dark, all.
type ether struct {
	front, back *net.UDPConn // towards the client, the home
	running     sync.WaitGroup

	mu     sync.Mutex // guards the rest
	dice   *rand.Rand
	client *net.UDPAddr
	dark   bool
	lost   int
}

// through puts an ether before the home at address, and returns its own.
func through(t *testing.T, address string, seed uint64) (*ether, string) {
	t.Helper()
	home, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	e := &ether{dice: rand.New(rand.NewPCG(seed, 3))}
	if e.front, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if e.back, err = net.DialUDP("udp", nil, home); err != nil {
		t.Fatal(err)
	}
	e.running.Go(func() {
		e.carry(e.front, func(b []byte, from *net.UDPAddr) {
			e.mu.Lock()
			e.client = from
			e.mu.Unlock()
			e.back.Write(b)
		})
	})
	e.running.Go(func() {
		e.carry(e.back, func(b []byte, _ *net.UDPAddr) {
			e.mu.Lock()
			to := e.client
			e.mu.Unlock()
			e.front.WriteToUDP(b, to)
		})
	})
	t.Cleanup(func() {
		e.front.Close()
		e.back.Close()
		e.running.Wait()
	})
	return e, e.front.LocalAddr().String()
}

// carry passes on what comes and is not lost, until the socket is closed.
func (e *ether) carry(from *net.UDPConn, pass func([]byte, *net.UDPAddr)) {
	buf := make([]byte, 64<<10)
	for {
		n, who, err := from.ReadFromUDP(buf)
		if err != nil {
			if strings.Contains(err.Error(), "refused") {
				continue // the home is gone, and may come back
			}
			return
		}
		if !e.loses() {
			pass(buf[:n], who)
		}
	}
}

func (e *ether) loses() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dark || e.dice.IntN(20) == 0 {
		e.lost++
		return true
	}
	return false
}

func (e *ether) set(dark bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dark = dark
}

// TestLoss: of a line that loses datagrams, and now and then all of them for longer
// than a stream may be silent, nobody notices anything but the time.
func TestLoss(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed %d", seed)
	_, url := serve(t, hub.Options{Heartbeat: 50 * time.Millisecond}, nil)
	address, _, _ := strings.Cut(strings.TrimPrefix(url, "quic://"), "/")
	line, at := through(t, address, seed)
	far := open(t, strings.Replace(fmt.Sprintf(url, "jobs"), address, at, 1)+"&resume=1m&heartbeat=50ms", handoff.Slots(3))
	near := open(t, fmt.Sprintf(url, "jobs"))
	resumed := make(chan struct{}, 100)
	defer handoff.Events(func(e handoff.Event) {
		if e.State == handoff.LinkResumed && e.Channel == at {
			resumed <- struct{}{}
		}
	})()
	const values, blackouts = 300, 3
	sent := make(chan error, 1)
	go func() {
		for i := range values {
			if err := far.Send(nil, fmt.Sprint(i)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range values {
		if i%(values/blackouts) == values/blackouts/2 {
			line.set(true)
			time.AfterFunc(300*time.Millisecond, func() { line.set(false) })
			<-resumed
		}
		if v, err := near.Recv(t.Context()); err != nil || v != fmt.Sprint(i) {
			t.Fatalf("received %q, %v, want %d", v, err, i)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if s := near.Stats(); s.Redelivered != 0 || s.Received != values {
		t.Errorf("%+v", s)
	}
	line.mu.Lock()
	defer line.mu.Unlock()
	if line.lost == 0 {
		t.Error("nothing was lost")
	}
	t.Logf("%d datagrams lost", line.lost)
}

// TestSilentHome: a home that is gone without a word is noticed after one heartbeat, and
// not after the four that its silence over a stream takes, so that resume has begun by
// then; and without anybody saying so no later than resume lasts.
func TestSilentHome(t *testing.T) {
	for _, beat := range []time.Duration{time.Second, 2 * time.Second} {
		t.Run(beat.String(), func(t *testing.T) {
			t.Parallel()
			_, url := serve(t, hub.Options{}, nil)
			address, _, _ := strings.Cut(strings.TrimPrefix(url, "quic://"), "/")
			line, at := through(t, address, 1)
			broken := make(chan time.Time, 10)
			defer handoff.Events(func(e handoff.Event) {
				if e.State == handoff.LinkBroken && e.Channel == at {
					broken <- time.Now()
				}
			})()
			far := open(t, strings.Replace(fmt.Sprintf(url, "jobs"), address, at, 1)+fmt.Sprintf("&resume=100ms&heartbeat=%v", beat), handoff.Slots(1))
			if err := far.Send(nil, "a"); err != nil {
				t.Fatal(err)
			}
			line.set(true)
			gone := time.Now()
			select {
			case noticed := <-broken:
				if after := noticed.Sub(gone); after > 2*beat {
					t.Errorf("noticed after %v, with a heartbeat of %v", after, beat)
				}
			case <-time.After(4 * beat):
				t.Error("not noticed before its silence would be")
			}
		})
	}
}
