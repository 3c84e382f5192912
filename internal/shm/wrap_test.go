package shm

import (
	"fmt"
	"sync"
	"testing"

	"github.com/handoff-go/handoff/driver"
)

// nearWrap returns two processes in a segment whose counters are so many steps before the end of
// their 32 bits: the number of the last transaction, whose low half is the version of words, what
// was sent and received, and what was handed out.
func nearWrap(t *testing.T, before uint64) (a, b *Member) {
	t.Helper()
	about := About{Name: "wrap", Send: true, Receive: true, Over: func(bool) {}}
	p := Params{Slots: 8, Waiters: 64, Members: 4, Pool: 16 * pageBytes, Founder: Founder{ID: [16]byte{1}, About: about}}
	words := memory(t, p)
	words[headAt] = (1<<32 - before) << 16
	for _, off := range []uint32{gSent, gReceived, gOrder} {
		words[off] = 1<<32 - before
	}
	var views [2]*Segment
	for i := range views {
		s, err := Load(words)
		if err != nil {
			t.Fatal(err)
		}
		views[i] = s
	}
	a = views[0].Founded([16]byte{1}, about)
	views[0].Ring = func(Name) { go b.Collect() }
	views[1].Ring = func(Name) { go a.Collect() }
	b, err := views[1].Join([16]byte{2}, 1, false, about)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// TestCountersWrap sends, receives and returns across the end of all counters, one by one.
func TestCountersWrap(t *testing.T) {
	a, b := nearWrap(t, 100)
	next := 0
	want := func(op driver.Op, n int) []driver.Item {
		x := begin(b, op)
		if x.Err != nil || len(x.Got) != n {
			t.Fatalf("got %d values, %v; want %d", len(x.Got), x.Err, n)
		}
		for i, it := range x.Got {
			if string(it.Value) != fmt.Sprint(next+i) {
				t.Fatalf("got %q, want %d", it.Value, next+i)
			}
		}
		return x.Got
	}
	const rounds = 200
	for round := range rounds {
		first := 4 * round
		if x := begin(a, sends(fmt.Sprint(first), fmt.Sprint(first+1), fmt.Sprint(first+2), fmt.Sprint(first+3))); x.Err != nil {
			t.Fatal(x.Err)
		}
		held := want(driver.Op{Kind: driver.OpTake, Max: 2, Try: true}, 2)
		for i := range held { // the second first: they come again in their order
			if x := begin(b, driver.Op{Kind: driver.OpReturn, Hold: held[1-i].Hold}); x.Err != nil {
				t.Fatal(x.Err)
			}
		}
		want(receives(4), 4)
		next += 4
		if err := Audit(a); err != nil {
			t.Fatalf("round %d: %v\n%s", round, err, a.s.Dump())
		}
	}
	const all uint64 = 1<<32 - 100 + 4*rounds
	if s := a.Stats(); s.Sent != all || s.Received != all {
		t.Errorf("sent %d and received %d; want %d", s.Sent, s.Received, all)
	}
}

// TestWrapInAStorm has two processes at work at once while the version of words begins anew.
func TestWrapInAStorm(t *testing.T) {
	const each = 2000
	a, b := nearWrap(t, 500)
	var wg sync.WaitGroup
	for k, m := range []*Member{a, b, a, b} {
		wg.Go(func() {
			for i := range each {
				x := begin(m, sends(fmt.Sprint(k, " ", i)))
				if <-x.ended; x.Err != nil {
					t.Error(x.Err)
					return
				}
			}
		})
	}
	var mu sync.Mutex // guards seen
	seen := map[string]int{}
	for _, m := range []*Member{a, b} {
		wg.Go(func() {
			last := map[int]int{}
			for range 2 * each {
				x := begin(m, driver.Op{Kind: driver.OpRecv, Max: 1})
				if <-x.ended; x.Err != nil {
					t.Error(x.Err)
					return
				}
				var k, i int
				v := string(x.Got[0].Value)
				fmt.Sscan(v, &k, &i)
				if was, ok := last[k]; ok && i < was {
					t.Errorf("%d of sender %d came after %d", i, k, was)
				}
				last[k] = i
				mu.Lock()
				seen[v]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 4*each {
		t.Errorf("%d different values of %d", len(seen), 4*each)
	}
	if err := Audit(a); err != nil {
		t.Error(err)
	}
	if head := a.s.load(headAt) >> 16; head < 1<<32 {
		t.Errorf("the head is at %#x: nothing has wrapped", head)
	}
}
