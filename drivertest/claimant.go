package drivertest

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/ticket"
)

// claimMode says what the claimants of a run do.
type claimMode uint8

const (
	claimsNone    claimMode = iota // there are none
	claimsRelease                  // claim, hold, release
	claimsConfirm                  // the same, and sometimes confirm
	claimsManual                   // the law says
)

func (m claimMode) String() string {
	return [...]string{"plain", "claimed", "confirmed", "manual"}[m]
}

// claimFor is how long a claimant holds a ticket: the time of a round trip.
const claimFor = time.Millisecond

// claimTurns bounds the claims on one ticket and claimAgain the confirmations of
// one select, so that a run becomes quiet; claimantsQuiet is when every claimant
// has done its turns.
const (
	claimTurns     = 3
	claimAgain     = 2
	claimantsQuiet = (claimAgain + 2) * claimTurns * 2 * claimFor
)

// Claimant is a fake home in another process that wants the ticket of a select:
// it is offered the ticket, claims it, and releases or confirms it some time
// later. It fills the interface of the engine's foreign cases.
//
// Each offer has a goroutine, which is gone when Withdraw or Finish returns.
type Claimant struct {
	mode     claimMode
	several  bool          // the select asks homes first
	courting *atomic.Int64 // of the law: offers whose turns are not over
	coming   atomic.Int64  // when a select began that has not offered its ticket, in Unix nanoseconds; or 0

	mu     sync.Mutex // guards what follows
	rand   *rand.Rand
	brief  bool // storms: hold for less than claimFor as well
	offers map[*ticket.Ticket]*offer
	again  int // how often the select was done again because this claimant won

	holding atomic.Bool // manual: it has claimed the ticket

	claims, confirms atomic.Int64 // how often, for the law that claims happen
}

// offer is one ticket on offer.
type offer struct {
	tk   *ticket.Ticket
	idx  int
	stop chan struct{} // closed when the ticket is withdrawn
	done chan struct{} // closed when the goroutine is gone
	by   *Claimant     // who has claimed it, if that is manual
}

// claimsSeen counts the claims of all claimants of the process.
var claimsSeen, confirmsSeen atomic.Int64

func (e *Env) newClaimant(mode claimMode) *Claimant {
	c := &Claimant{mode: mode, several: e.H.Several, courting: &e.courting, rand: e.NewRand(), brief: e.law.Storm, offers: map[*ticket.Ticket]*offer{}}
	e.mu.Lock()
	defer e.mu.Unlock()
	if mode == claimsManual {
		e.claimants = append(e.claimants, c)
	} else if !e.bubble && !e.law.Storm {
		e.suitors = append(e.suitors, c)
	}
	return c
}

// expect says that a select begins. It stands in the queues before it offers its
// ticket, so figures alone do not show that a claim is still to come.
func (c *Claimant) expect() { c.coming.Store(time.Now().UnixNano()) }

// comingFor bounds how long a select that began is expected to offer its ticket.
// One that is chosen at once, and waits for a settlement, never does; one that a
// loaded machine holds up for longer makes a law fail for nothing.
const comingFor = 250 * time.Millisecond

// comingFromAfar is the same for a select that asks homes before it offers its ticket.
const comingFromAfar = 2 * time.Second

// expected reports whether a ticket may still be offered.
func (c *Claimant) expected() bool {
	since := c.coming.Load()
	limit := comingFor
	if c.several {
		limit = comingFromAfar
	}
	return since != 0 && time.Since(time.Unix(0, since)) < limit
}

// Offer shows the claimant a ticket it may win as case idx.
func (c *Claimant) Offer(tk *ticket.Ticket, idx int) {
	defer c.coming.Store(0)
	o := &offer{tk: tk, idx: idx, stop: make(chan struct{}), done: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offers[tk] = o
	if c.mode == claimsManual {
		close(o.done)
		return
	}
	c.courting.Add(1)
	go c.court(o, c.plan())
}

// Withdraw ends an offer. After it the claimant knows nothing of the ticket.
func (c *Claimant) Withdraw(tk *ticket.Ticket) {
	c.mu.Lock()
	o := c.offers[tk]
	delete(c.offers, tk)
	c.mu.Unlock()
	if o != nil {
		close(o.stop)
		<-o.done
	}
}

// Finish completes the operation that the claimant's confirmation won.
func (c *Claimant) Finish() error { return nil }

// end waits for the goroutines of offers that were not withdrawn because the
// claimant won them.
func (c *Claimant) end() {
	c.mu.Lock()
	offers := c.offers
	c.offers = map[*ticket.Ticket]*offer{}
	c.mu.Unlock()
	for _, o := range offers {
		close(o.stop)
		<-o.done
	}
}

// won notes that the select is done again, lost that it is over.
func (c *Claimant) won()  { c.mu.Lock(); c.again++; c.mu.Unlock() }
func (c *Claimant) lost() { c.coming.Store(0); c.mu.Lock(); c.again = 0; c.mu.Unlock() }

// turn is one claim: wait, claim, hold, and confirm or release.
type turn struct {
	after, hold time.Duration
	confirm     bool
}

func (c *Claimant) plan() []turn {
	turns := make([]turn, 1+c.rand.IntN(claimTurns))
	for i := range turns {
		t := turn{hold: claimFor, after: time.Duration(c.rand.Int64N(int64(claimFor)))}
		if c.brief {
			// Most claims of a storm last no longer than a thread switch, so
			// that there are enough of them to collide with something.
			t.after = time.Duration(c.rand.IntN(3)) * 20 * time.Microsecond
			if c.rand.IntN(32) != 0 {
				t.hold = time.Duration(c.rand.IntN(3)) * 10 * time.Microsecond
			}
		}
		t.confirm = c.mode == claimsConfirm && c.again < claimAgain && c.rand.IntN(4) == 0
		turns[i] = t
	}
	return turns
}

func (c *Claimant) court(o *offer, turns []turn) {
	defer close(o.done)
	defer c.courting.Add(-1)
	for _, t := range turns {
		if !o.pause(t.after) {
			return
		}
		switch o.tk.Claim() {
		case ticket.Gone:
			return
		case ticket.Busy:
			continue
		}
		c.claims.Add(1)
		claimsSeen.Add(1)
		rest(t.hold)
		if t.confirm {
			c.confirms.Add(1)
			confirmsSeen.Add(1)
			c.expect() // the select is done again, and until then its channels have figures of the one that was won
			o.tk.Confirm(o.idx)
			o.tk.Ring()
			return
		}
		o.tk.Release()
	}
}

// pause waits for d and reports whether the ticket is still on offer.
func (o *offer) pause(d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-o.stop:
		return false
	case <-timer.C:
		return true
	}
}

func rest(d time.Duration) {
	if d == 0 {
		runtime.Gosched()
		return
	}
	time.Sleep(d)
}

// offered returns the one ticket on offer. It is for manual claimants. A select of
// several homes stands in the lines of one before it has offered its ticket to the next.
func (c *Claimant) offered(e *Env) *offer {
	e.Helper()
	deadline := time.Now().Add(e.limit / 2)
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.offers) == 0 && e.H.Several && time.Now().Before(deadline) {
		c.mu.Unlock()
		time.Sleep(50 * time.Microsecond) // between two looks, not to order anything
		c.mu.Lock()
	}
	if len(c.offers) != 1 {
		e.Fatalf("the remote case of a waiting select was offered %d tickets, want 1", len(c.offers))
	}
	for _, o := range c.offers {
		return o
	}
	return nil
}

// Claim claims the ticket on offer, which must be free.
func (c *Claimant) Claim(e *Env) *offer {
	e.Helper()
	o := c.offered(e)
	if a := o.tk.Claim(); a != ticket.Won {
		e.Fatalf("claim of a waiting select's ticket: answer %d, want won", a)
	}
	c.holding.Store(true)
	o.by = c
	return o
}

// Release gives the claimed ticket back.
func (o *offer) Release(e *Env) { o.by.holding.Store(false); o.tk.Release(); e.Settle() }

// Confirm makes the claimant the winner.
func (o *offer) Confirm(e *Env) {
	o.by.holding.Store(false)
	o.tk.Confirm(o.idx)
	o.tk.Ring()
	e.Settle()
}
