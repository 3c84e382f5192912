package netchan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

func TestSlots(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(2)), open(t, path, "jobs", both)
	s.send("a").want(t, nil)
	s.send("b").want(t, nil)
	if p := s.trySend("x").want(t, nil); !p.NotReady {
		t.Error("a third value found a slot of two")
	}
	c := s.send("c")
	s.untilSending(t, 1)
	if c.ended() {
		t.Fatal("a third value found a slot of two")
	}
	r.recv(1).wantGot(t, "a")
	if c.want(t, nil); c.N != 1 {
		t.Errorf("N is %d", c.N)
	}
	r.recv(10).wantGot(t, "b", "c")
	if p := r.tryRecv().want(t, nil); !p.NotReady {
		t.Error("an empty channel is ready")
	}
}

func TestRendezvous(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", both), open(t, path, "jobs", both)
	if got := s.Info(); got.Slots != 0 || !got.Can.Rendezvous || !got.Can.Hold || got.Name != "jobs" {
		t.Errorf("%+v", got)
	}
	a := s.send("a")
	s.untilSending(t, 1)
	if a.ended() {
		t.Fatal("a rendezvous ended alone")
	}
	r.recv(1).wantGot(t, "a")
	a.want(t, nil)

	got := r.recv(1)
	s.untilReceiving(t, 1)
	if p := s.trySend("b").want(t, nil); p.NotReady || p.N != 1 {
		t.Error("a receiver waits, and a send that tries is not ready")
	}
	got.wantGot(t, "b")
	if p := s.trySend("c").want(t, nil); !p.NotReady || p.N != 0 {
		t.Error("nobody receives, and a send that tries is ready")
	}
}

func TestTake(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(1)), open(t, path, "jobs", both)
	s.send("a").want(t, nil)
	held := r.take(1).wantGot(t, "a").Got[0]
	if held.Attempt != 1 {
		t.Errorf("attempt %d", held.Attempt)
	}
	if p := s.trySend("x").want(t, nil); !p.NotReady {
		t.Error("a slot is free before its value is confirmed")
	}
	r.settle(driver.OpReturn, held.Hold).want(t, nil)
	r.settle(driver.OpReturn, held.Hold).want(t, driver.ErrSettled)
	held = r.take(1).wantGot(t, "a").Got[0]
	if held.Attempt != 2 {
		t.Errorf("attempt %d of a returned value", held.Attempt)
	}
	r.settle(driver.OpExtend, held.Hold).want(t, nil)
	r.settle(driver.OpDone, held.Hold).want(t, nil)
	r.settle(driver.OpDone, held.Hold).want(t, driver.ErrSettled)
	s.send("b").want(t, nil)
}

func TestReject(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", both), open(t, path, "jobs", both)
	a := s.send("a")
	held := r.take(1).wantGot(t, "a").Got[0]
	r.start(driver.Op{Kind: driver.OpReject, Hold: held.Hold, Reason: "torn"}).want(t, nil)
	if a.want(t, driver.ErrRejected); !strings.Contains(a.Err.Error(), "torn") || a.N != 0 {
		t.Errorf("N %d, %v", a.N, a.Err)
	}
}

func TestHeadersAndBytesCross(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(3)), open(t, path, "jobs", both)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	header := map[string]string{"traceparent": "00-aa", "": "é\x00"}
	sent := []driver.Item{{Value: all, Header: header}, {Value: nil}, {Value: bytes.Repeat(all, 4096)}}
	s.start(driver.Op{Kind: driver.OpSend, Items: sent}).want(t, nil)
	for i, got := range r.recv(3).want(t, nil).Got {
		if !bytes.Equal(got.Value, sent[i].Value) || fmt.Sprint(got.Header) != fmt.Sprint(sent[i].Header) || got.Value == nil || got.Attempt != 1 {
			t.Errorf("value %d of %d bytes came as %d bytes with %v, attempt %d", i, len(sent[i].Value), len(got.Value), got.Header, got.Attempt)
		}
	}
}

func TestClose(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(2)), open(t, path, "jobs", both)
	s.send("a", "b").want(t, nil)
	blocked := s.send("c")
	s.untilSending(t, 1)
	s.do(driver.OpClose).want(t, nil)
	blocked.want(t, driver.ErrClosed)
	s.send("d").want(t, driver.ErrClosed)
	s.do(driver.OpClose).want(t, driver.ErrClosed)
	if !r.Stats().Closed {
		t.Error("figures say it is open")
	}
	r.recv(1).wantGot(t, "a")
	r.recv(1).wantGot(t, "b")
	r.recv(1).want(t, driver.ErrClosed)
	r.tryRecv().want(t, driver.ErrClosed)
}

func TestStop(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", both), open(t, path, "jobs", both)
	waiting := s.do(driver.OpAwaitStop)
	given := s.do(driver.OpAwaitStop)
	given.giveUp(t).want(t, errGivenUp)
	r.start(driver.Op{Kind: driver.OpStop, Reason: "enough"}).want(t, nil)
	if waiting.want(t, nil); waiting.Reason != "enough" {
		t.Errorf("the reason came as %q", waiting.Reason)
	}
}

// TestBatch: a batch of many frames passes what fits, then queues again, and
// keeps its order.
func TestBatch(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(100)), open(t, path, "jobs", both)
	const n = 5000
	var values []string
	for i := range n {
		values = append(values, fmt.Sprint(i, strings.Repeat("x", i%300)))
	}
	sent := s.send(values...)
	var got []string
	for len(got) < n {
		got = append(got, r.recv(700).values(t)...)
	}
	if sent.want(t, nil); sent.N != n {
		t.Errorf("N is %d", sent.N)
	}
	if !slices.Equal(got, values) {
		t.Error("the order is lost")
	}
	big := s.send(strings.Repeat("a", 1<<20), strings.Repeat("b", 1<<20), "c")
	if p := r.recv(3).want(t, nil); len(p.Got) == 0 || len(p.Got[0].Value) != 1<<20 {
		t.Error("a large value did not come whole")
	}
	big.want(t, nil)
}

func TestBatchCancelled(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(3)), open(t, path, "jobs", both)
	p := s.send("a", "b", "c", "d", "e")
	s.until(t, "three values in slots", func(s driver.Stats) bool { return s.Len == 3 && s.SendersWaiting == 1 })
	if p.giveUp(t).want(t, errGivenUp); p.N != 3 {
		t.Errorf("N is %d of a batch that was cancelled with three slots", p.N)
	}
	r.recv(5).wantGot(t, "a", "b", "c")
	if p := r.tryRecv().want(t, nil); !p.NotReady {
		t.Error("a value that did not leave its sender came")
	}
}

func TestCancelReceive(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", slots(1)), open(t, path, "jobs", both)
	p := r.recv(1)
	s.untilReceiving(t, 1)
	p.giveUp(t).want(t, errGivenUp)
	s.untilReceiving(t, 0)
	s.send("a").want(t, nil)
	if got := r.recv(1).wantGot(t, "a").Got[0]; got.Attempt != 1 {
		t.Errorf("attempt %d of a value nobody has seen", got.Attempt)
	}
}

// TestCancelCrossesDelivery: receives that are cancelled while values come lose
// nothing, raise no attempt, and leave the order to a receiver that asks again.
func TestCancelCrossesDelivery(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		for _, n := range []int{0, 1, 4} {
			t.Run(fmt.Sprint("slots=", n), func(t *testing.T) {
				_, path := serve(t, hub.Options{})
				s, r := open(t, path, "jobs", slots(n)), open(t, path, "jobs", both)
				const values = 2000
				var sender sync.WaitGroup
				sender.Go(func() {
					for i := range values {
						if p := s.send(fmt.Sprint(i)); p.wait(t).Err != nil {
							t.Error(p.Err)
						}
					}
				})
				for i, turn := 0, 0; i < values; turn++ {
					p := r.recv(1)
					if turn%3 == 0 {
						for range turn % 50 {
							runtime.Gosched() // so that the cancel meets the value anywhere on its way
						}
						r.Cancel(p.Op, errGivenUp)
					}
					if p.wait(t); p.Err == errGivenUp {
						continue
					}
					p.wantGot(t, fmt.Sprint(i))
					if p.Got[0].Attempt != 1 {
						t.Fatalf("value %d comes with attempt %d", i, p.Got[0].Attempt)
					}
					i++
				}
				sender.Wait()
				if s := r.Stats(); s.Redelivered != 0 {
					t.Errorf("%d redelivered", s.Redelivered)
				}
			})
		}
	})
}

func TestCancelSend(t *testing.T) {
	_, path := serve(t, hub.Options{})
	s, r := open(t, path, "jobs", both), open(t, path, "jobs", both)
	p := s.send("a")
	s.untilSending(t, 1)
	if p.giveUp(t).want(t, errGivenUp); errors.Is(p.Err, driver.ErrInDoubt) || p.N != 0 {
		t.Errorf("N %d, %v", p.N, p.Err)
	}
	if p := r.tryRecv().want(t, nil); !p.NotReady {
		t.Error("a value that did not leave its sender came")
	}
	p = s.send("b")
	held := r.take(1).wantGot(t, "b").Got[0]
	p.giveUp(t).want(t, errGivenUp).want(t, driver.ErrInDoubt)
	r.settle(driver.OpReturn, held.Hold).want(t, driver.ErrAbandoned)
}

// TestManyToMany: every value comes once, those of one sender to one receiver in
// order, over links of their own and shared.
func TestManyToMany(t *testing.T) {
	for _, n := range []int{0, 1, 7} {
		t.Run(fmt.Sprint("slots=", n), func(t *testing.T) {
			_, path := serve(t, hub.Options{})
			const senders, receivers, each = 4, 3, 500
			main := open(t, path, "jobs", slots(n))
			var sending, receiving sync.WaitGroup
			for i := range senders {
				s := open(t, path, "jobs", both)
				sending.Go(func() {
					for j := range each {
						if p := s.send(fmt.Sprintf("%d %d", i, j)).wait(t); p.Err != nil {
							t.Error(p.Err)
						}
					}
				})
			}
			var mu sync.Mutex
			seen := map[string]int{}
			for range receivers {
				r := open(t, path, "jobs", both)
				receiving.Go(func() {
					last := map[int]int{}
					for {
						p := r.recv(1).wait(t)
						if p.Err != nil {
							if p.Err != driver.ErrClosed {
								t.Error(p.Err)
							}
							return
						}
						var i, j int
						fmt.Sscan(string(p.Got[0].Value), &i, &j)
						if j < last[i] {
							t.Errorf("sender %d: %d after %d", i, j, last[i])
						}
						last[i] = j
						mu.Lock()
						seen[string(p.Got[0].Value)]++
						mu.Unlock()
					}
				})
			}
			sending.Wait()
			main.do(driver.OpClose).want(t, nil)
			receiving.Wait()
			if len(seen) != senders*each {
				t.Errorf("%d values came, want %d", len(seen), senders*each)
			}
			for v, n := range seen {
				if n != 1 {
					t.Errorf("%q came %d times", v, n)
				}
			}
		})
	}
}

// TestStuckChannelStallsNobody: a channel on which everything waits, far beyond
// its window, does not hold up another on the same connection.
func TestStuckChannelStallsNobody(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, path := serve(t, hub.Options{MaxWaiting: 8, MaxWaitBytes: 1 << 16})
		stuck, other := open(t, path, "stuck", both), open(t, path, "other", slots(1))
		var waiting []*pending
		for i := range 100 {
			waiting = append(waiting, stuck.send(fmt.Sprint(i, strings.Repeat("x", 10000))))
		}
		for i := range 100 {
			other.send(fmt.Sprint(i)).want(t, nil)
			other.recv(1).wantGot(t, fmt.Sprint(i))
		}
		// Receivers have a window of their own, so the channel can come unstuck over
		// the very attachment that is full of senders.
		for i, p := range waiting[:50] {
			if got := stuck.recv(1).values(t); !strings.HasPrefix(got[0], fmt.Sprint(i)) {
				t.Fatalf("receive %d got %.5q", i, got)
			}
			p.want(t, nil)
		}
		waiting[99].giveUp(t).want(t, errGivenUp)
		waiting[60].giveUp(t).want(t, errGivenUp)
		stuck.recv(1).wait(t)
		waiting[50].want(t, nil)
		if err := stuck.Detach(context.Background()); err != nil {
			t.Error(err)
		}
		for _, p := range waiting[51:] {
			if p.wait(t).Err == nil {
				t.Error("a send that nobody met succeeded")
			}
		}
	})
}

func TestDetach(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, path := serve(t, hub.Options{})
		s, r, other := open(t, path, "jobs", slots(1)), open(t, path, "jobs", both), open(t, path, "jobs", both)
		s.send("a").want(t, nil)
		r.take(1).wantGot(t, "a")
		waiting := []*pending{r.recv(1), r.do(driver.OpAwaitStop)}
		s.untilReceiving(t, 1)
		if err := r.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, p := range waiting {
			p.want(t, driver.ErrDetached)
		}
		r.recv(1).want(t, driver.ErrDetached)
		if err := r.Detach(context.Background()); err != driver.ErrDetached {
			t.Errorf("a second Detach: %v", err)
		}
		if err := s.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
		s.send("b").want(t, driver.ErrDetached)
		if got := other.recv(1).wantGot(t, "a").Got[0]; got.Attempt != 2 {
			t.Errorf("attempt %d of a value whose holder detached", got.Attempt)
		}
		s = open(t, path, "jobs", both)
		blocked := s.send("c", "d")
		other.until(t, "one in its slot, one waiting", func(s driver.Stats) bool { return s.Len == 1 && s.SendersWaiting == 1 })
		if err := s.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
		if blocked.want(t, driver.ErrDetached); blocked.N != 1 {
			t.Errorf("N is %d", blocked.N)
		}
		other.recv(2).wantGot(t, "c")
	})
}

func TestOpenRefusals(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, path := serve(t, hub.Options{MaxChannels: 2, MaxSlots: 10, MaxValue: 1000, MaxAttachments: 3})
		typed := slots(3)
		typed.Type = "mem:le:8:int64"
		open(t, path, "jobs", typed)
		with := func(change func(*driver.Config)) driver.Config {
			cfg := both
			change(&cfg)
			return cfg
		}
		tests := []struct {
			name string
			cfg  driver.Config
			want error
			says string
		}{
			{"jobs", with(func(c *driver.Config) { c.Type = "json" }), driver.ErrTypeMismatch, "int64"},
			{"jobs", slots(4), driver.ErrConflict, "slots=3, not 4"},
			{"jobs", with(func(c *driver.Config) { c.MaxValue = 999 }), driver.ErrConflict, "maxvalue"},
			{"jobs", with(func(c *driver.Config) { c.Create = driver.CreateNew }), driver.ErrConflict, "exists"},
			{"none", with(func(c *driver.Config) { c.Create = driver.CreateNo }), driver.ErrNotFound, ""},
			{"none", with(func(c *driver.Config) { c.DeadLetter = "mem:dead" }), driver.ErrUnsupported, "dead letter"},
			{"none", slots(11), driver.ErrTooLarge, "allows 10"},
			{"none", with(func(c *driver.Config) { c.MaxValue = 1001 }), driver.ErrTooLarge, "allows 1000"},
			{"", both, driver.ErrConflict, "missing"},
			{"a\nb", both, driver.ErrConflict, "control"},
			{strings.Repeat("x", 1025), both, driver.ErrTooLarge, "1025"},
		}
		for _, test := range tests {
			_, err := tryOpen(path, test.name, test.cfg)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("opening %.10q: %v, want %v saying %q", test.name, err, test.want, test.says)
			}
		}
		open(t, path, "jobs", typed)
		open(t, path, "second", both)
		if _, err := tryOpen(path, "second", both); !errors.Is(err, driver.ErrFull) {
			t.Errorf("one attachment too many: %v", err)
		}
	})
}

func TestRightsAndLimits(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, path := serve(t, hub.Options{})
		cfg := slots(1)
		cfg.MaxValue = 100
		all := open(t, path, "jobs", cfg)
		s := open(t, path, "jobs", driver.Config{Send: true, Slots: -1})
		r := open(t, path, "jobs", driver.Config{Receive: true, Slots: -1})
		s.recv(1).want(t, driver.ErrDenied)
		r.send("a").want(t, driver.ErrDenied)
		s.send("a", strings.Repeat("x", 101)).want(t, driver.ErrTooLarge)
		s.start(driver.Op{Kind: driver.OpSend, Items: []driver.Item{{Header: map[string]string{"k": strings.Repeat("x", wire.MaxHeaderBytes)}}}}).want(t, driver.ErrTooLarge)
		s.start(driver.Op{Kind: driver.OpSend, Ticket: new(driver.Ticket), Items: items("a")}).want(t, driver.ErrUnsupported)
		s.send().want(t, nil)
		r.recv(0).want(t, nil)
		if p := all.tryRecv().want(t, nil); !p.NotReady {
			t.Error("a value that was refused came")
		}
	})
}

func TestLargeValues(t *testing.T) {
	over(t, func(t *testing.T, serve server) {
		_, path := serve(t, hub.Options{})
		cfg := slots(1)
		cfg.MaxValue = 8 << 20
		s, r := open(t, path, "jobs", cfg), open(t, path, "jobs", both)
		large := strings.Repeat("0123456789abcdef", 8<<20/16)
		s.send(large).want(t, nil)
		if got := r.recv(1).values(t); got[0] != large {
			t.Error("a value of 8 MiB did not come whole")
		}
		s.send(large+"x").want(t, driver.ErrTooLarge)
	})
}

func TestNoHome(t *testing.T) {
	dir := t.TempDir()
	for path, says := range map[string]string{
		dir + "/none":                       "there is no socket",
		dir:                                 "",
		"/proc/self/nothing":                "",
		dir + "/" + strings.Repeat("x", 99): "",
	} {
		_, err := tryOpen(path, "jobs", both)
		if !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if os.Getuid() != 0 {
		_, path := serve(t, hub.Options{})
		os.Chmod(path, 0)
		if _, err := tryOpen(path, "jobs", both); !errors.Is(err, driver.ErrDenied) {
			t.Errorf("a socket of another: %v", err)
		}
	}
}
