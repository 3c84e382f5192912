package home

import (
	"testing"
	"testing/synctest"

	"github.com/handoff-go/handoff/driver"
)

// owner is that of a select that is decided elsewhere, as far as a home knows.
type owner struct{ claims, releases int }

// offer begins a select of o's with the cases.
func (o *owner) offer(ch driver.Channel, number uint64, cases ...driver.Case) *run {
	op := choose(cases...)
	op.Bid = &driver.Bid{
		Number: number, Bind: func() {},
		Claim: func() { o.claims++ }, Release: func() { o.releases++ },
	}
	return start(ch, op)
}

func (r *run) granted()             { r.ch.(driver.Bidder).Granted(r.Op) }
func (r *run) back()                { r.ch.(driver.Bidder).Back(r.Op) }
func sends(v string) *driver.Op     { return sendOf(v) }
func tries(op *driver.Op) driver.Op { op.Try = true; return *op }

// aside is the owner of r sending the value back that came.
func (r *run) aside(t *testing.T) {
	t.Helper()
	won := r.Cases[r.Chosen].Op
	hold := won.Got[0].Hold
	won.Got, r.done = nil, make(chan struct{})
	r.OnFinish(func(*driver.Op) { close(r.done) })
	r.ch.(driver.Bidder).Aside(r.Op)
	if back := start(r.ch, driver.Op{Kind: driver.OpReturn, Hold: hold, Unseen: true}); back.Err != nil {
		t.Fatal(back.Err)
	}
}

// value is what r, a select or a receive, has got.
func (r *run) value(t *testing.T) string {
	t.Helper()
	got := r.Got
	if len(r.Cases) > 0 && !r.open() {
		got = r.Cases[r.Chosen].Op.Got
	}
	if r.open() || len(got) != 1 {
		t.Fatalf("open %v, with %d values", r.open(), len(got))
	}
	return string(got[0].Value)
}

// sleeping is a channel with a send of o asleep, whose owner is asked: what it could
// have is a slot, or the receiver r.
func sleeping(t *testing.T, o *owner, slots int) (ch driver.Channel, asleep, r *run) {
	t.Helper()
	ch = made(t, slots)
	if slots == 0 {
		r = start(ch, far())
	}
	asleep = o.offer(ch, 1, driver.Case{Channel: ch, Op: sends("asleep")})
	if o.claims != 1 || !asleep.open() {
		t.Fatalf("claimed %d times, open %v", o.claims, asleep.open())
	}
	return ch, asleep, r
}

// TestTryBehindASleepingSend: a send that tries is ready if what is there is left when
// the owner of the sleeping send before it has answered, and else it is not.
func TestTryBehindASleepingSend(t *testing.T) {
	for _, slots := range []int{0, 1} {
		for _, granted := range []bool{true, false} {
			for _, beside := range []bool{true, false} {
				ch, asleep, r := sleeping(t, &owner{}, slots)
				try := tries(sends("try"))
				if beside {
					try = tries(ptr(choose(driver.Case{Channel: ch, Op: sends("try")})))
				}
				tried := start(ch, try)
				if !tried.open() {
					t.Fatalf("slots %d: it does not wait for the answer", slots)
				}
				want := "try"
				if granted {
					asleep.granted()
					want = "asleep"
				} else {
					asleep.cancel()
				}
				if slots == 1 {
					r = start(ch, far())
				}
				if got := r.value(t); got != want {
					t.Fatalf("slots %d: received %q, want %q", slots, got, want)
				}
				r.tell(driver.OpDone, false)
				if tried.open() || tried.Err != nil || tried.NotReady != granted {
					t.Fatalf("slots %d, granted %v: open %v, not ready %v, %v", slots, granted, tried.open(), tried.NotReady, tried.Err)
				}
			}
		}
	}
}

// TestTryPassesOverASilentOwner: a try waits for an owner no longer than its line does,
// and ends with its attachment, its channel, or when it is cancelled.
func TestTryPassesOverASilentOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch, _, _ := sleeping(t, &owner{}, 1)
		tried := start(ch, tries(sends("try")))
		synctest.Wait()
		if !tried.open() {
			t.Fatal("it does not wait")
		}
		<-tried.done
		if tried.NotReady || tried.N != 1 {
			t.Fatalf("not ready %v, %v", tried.NotReady, tried.Err)
		}
	})
	for name, end := range map[string]func(driver.Channel, *run){
		"cancelled": func(_ driver.Channel, tried *run) { tried.cancel() },
		"closed":    func(ch driver.Channel, _ *run) { start(ch, driver.Op{Kind: driver.OpClose}) },
		"detached":  func(ch driver.Channel, _ *run) { ch.Detach(t.Context()) },
	} {
		ch, _, _ := sleeping(t, &owner{}, 1)
		tried := start(ch, tries(sends("try")))
		if end(ch, tried); tried.open() || tried.Err == nil || tried.N != 0 {
			t.Errorf("%s: open %v, %v", name, tried.open(), tried.Err)
		}
	}
}

// TestAside: an offer whose owner sends a value back keeps its place, and is passed
// over until it can be met again.
func TestAside(t *testing.T) {
	for _, slots := range []int{0, 1} {
		a, b := made(t, slots), made(t, 0)
		o := &owner{}
		x := o.offer(a, 1, driver.Case{Channel: a, Op: ptr(far())}, driver.Case{Channel: b, Op: sends("mine")})
		second, third := start(a, far()), start(a, far())
		tried := start(a, tries(sends("one")))
		if got := x.value(t); got != "one" {
			t.Fatalf("received %q", got)
		}
		x.aside(t)
		if got := second.value(t); got != "one" || !x.open() {
			t.Fatalf("the next one received %q, open %v", got, x.open())
		}
		second.tell(driver.OpDone, false)
		if tried.open() || tried.NotReady {
			t.Fatal("the try ended with the first receiver")
		}
		r := start(b, far())
		if o.claims != 0 {
			t.Fatal("it is asked for its send while it stands aside")
		}
		x.back()
		if o.claims != 1 || !x.open() {
			t.Fatalf("claimed %d times after it came back, open %v", o.claims, x.open())
		}
		r.cancel()
		start(a, *sends("two"))
		if got := x.value(t); got != "two" || !third.open() {
			t.Fatalf("it received %q, and has lost its place: %v", got, !third.open())
		}
		x.tell2(t)
	}
}

// tell2 confirms what r, a select, has got.
func (r *run) tell2(t *testing.T) {
	t.Helper()
	done := driver.Op{Kind: driver.OpDone, Hold: r.Cases[r.Chosen].Op.Got[0].Hold}
	if err := start(r.ch, done).Err; err != nil {
		t.Fatal(err)
	}
}

// TestAsideEnds: an offer that stands aside ends with its attachment, or when its owner
// withdraws it; a close it hears of when it is back.
func TestAsideEnds(t *testing.T) {
	aside := func() (driver.Channel, *run) {
		a := made(t, 1)
		x := (&owner{}).offer(a, 1, driver.Case{Channel: a, Op: ptr(far())})
		start(a, *sends("one"))
		x.aside(t)
		if s := a.Stats(); !x.open() || s.Len != 1 || s.ReceiversWaiting != 1 {
			t.Fatalf("open %v, %+v", x.open(), s)
		}
		return a, x
	}
	_, x := aside()
	if x.cancel(); x.open() || x.Err != errGivenUp {
		t.Fatalf("withdrawn: open %v, %v", x.open(), x.Err)
	}
	a, x := aside()
	if a.Detach(t.Context()); x.open() {
		t.Fatal("detached: it waits")
	}
	a, x = aside()
	start(a, driver.Op{Kind: driver.OpClose})
	r := start(a, far())
	r.tell(driver.OpDone, false)
	if !x.open() {
		t.Fatal("closed: it has ended before it was back")
	}
	if x.back(); x.open() {
		t.Fatal("closed: it waits")
	}
}
