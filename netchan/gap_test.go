package netchan_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
)

func init() {
	// holds holds the value of the channel that the URL names.
	roles["holds"] = func(url string) {
		e, err := openURL(context.Background(), url, both)
		must(err)
		p := e.take(1)
		<-p.done
		must(p.Err)
	}
}

// gap is a home, a client behind a proxy and one that is not.
type gap struct {
	*badline.Line
	home    string
	far     end // behind the proxy
	near    end
	reasons func() []string // the events of links
}

func newGap(t *testing.T, parameters string, cfg driver.Config) *gap {
	return newGapAt(t, parameters, cfg, hub.Options{})
}

// newGapAt is newGap with a home of its own kind.
func newGapAt(t *testing.T, parameters string, cfg driver.Config, opts hub.Options) *gap {
	t.Helper()
	var mu sync.Mutex
	var told []string
	stop := handoff.Events(func(e handoff.Event) {
		if e.Kind == handoff.EventLink {
			mu.Lock()
			told = append(told, string(e.State)+": "+e.Reason)
			mu.Unlock()
		}
	})
	_, home := serveTCP(t, opts)
	p := through(t, home, badline.Never)
	t.Cleanup(stop)
	return &gap{
		Line: p, home: home,
		far:  mustOpenURL(t, tcpURL(p.Address(), "jobs", parameters), cfg),
		near: mustOpenURL(t, tcpURL(home, "jobs", ""), both),
		reasons: func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string(nil), told...)
		},
	}
}

// told waits for an event of a link that says what is wanted.
func (g *gap) told(t *testing.T, says string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		for _, reason := range g.reasons() {
			if strings.Contains(reason, says) {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody told %q: %q", says, g.reasons())
		}
		runtime.Gosched()
	}
}

// TestWindowEnds: when the time is over the home has the values again and the
// client is told of every operation what can be known.
func TestWindowEnds(t *testing.T) {
	const window = 300 * time.Millisecond
	g := newGap(t, "resume=300ms", slots(1))
	g.far.send("a").want(t, nil)
	held := g.far.take(1).wantGot(t, "a").Got[0]
	lonely := mustOpenURL(t, tcpURL(g.Address(), "lonely", "resume=300ms"), both)
	sent := lonely.send("b")
	lonely.untilSending(t, 1)
	again := g.near.recv(1)
	g.near.untilReceiving(t, 1)
	began := time.Now()
	g.Cut(true)
	g.told(t, "broken: ") // or it could be sent into the connection that is cut, and be in doubt
	received, later := g.far.recv(1), g.far.send("c")

	if it := again.wantGot(t, "a").Got[0]; it.Attempt != 2 {
		t.Errorf("attempt %d", it.Attempt)
	}
	if after := time.Since(began); after < window {
		t.Errorf("the value returned after %v, before %v were over", after, window)
	}
	if sent.want(t, driver.ErrInDoubt); !strings.Contains(sent.Err.Error(), "did not take it back within 300ms") {
		t.Error(sent.Err)
	}
	for _, p := range []*pending{received, later, g.far.settle(driver.OpDone, held.Hold), g.far.trySend("d")} {
		p.want(t, driver.ErrUnreachable)
	}
	g.told(t, "broken: ")
	g.told(t, "resuming for 300ms")
	g.told(t, "kept for 300ms")
	g.told(t, "did not take it back within 300ms")
	g.told(t, "did not come back within 300ms")
	g.told(t, "ended: ")
	if err := g.far.Detach(context.Background()); err != nil {
		t.Error(err)
	}
	if p := g.near.tryRecv().want(t, nil); !p.NotReady {
		t.Errorf("a sender that is gone has left %q", p.Got[0].Value)
	}
}

// TestOperationsInTheGap: what is begun, cancelled and settled while there is no
// connection is done when there is one.
func TestOperationsInTheGap(t *testing.T) {
	cfg := slots(2)
	cfg.OpTimeout, cfg.CancelGrace = 50*time.Millisecond, 50*time.Millisecond
	g := newGap(t, "resume=1m", cfg)
	waiting := g.far.recv(1)
	g.near.untilReceiving(t, 1)
	g.Cut(true)
	g.told(t, "resuming for 1m0s")

	sent, cancelled := g.far.send("b"), g.far.recv(1)
	cancelled.giveUp(t).want(t, errGivenUp)
	waiting.giveUp(t).want(t, errGivenUp)
	g.far.send("c").giveUp(t).want(t, driver.ErrInDoubt)
	g.far.trySend("d").want(t, driver.ErrInDoubt)
	g.far.tryRecv().want(t, driver.ErrUnreachable)
	if p := g.near.trySend("a").want(t, nil); p.N != 1 {
		t.Error("the home has no slot while a client is away")
	}
	if sent.ended() {
		t.Error("a send ended while nobody could hear of it")
	}
	g.Up(g.home)
	sent.want(t, nil)
	g.told(t, "resumed: resumed the connection")
	g.told(t, "came back")
	// The value that was sent in the gap to the receive that was cancelled there
	// went back unseen.
	got := append(g.near.recv(1).want(t, nil).Got, g.near.recv(1).want(t, nil).Got...)
	if string(got[0].Value) != "a" || string(got[1].Value) != "b" || got[0].Attempt != 1 {
		t.Errorf("received %q at attempt %d and %q", got[0].Value, got[0].Attempt, got[1].Value)
	}
}

// TestSettleAfterTheGap: a hold outlives the connection it was taken over.
func TestSettleAfterTheGap(t *testing.T) {
	g := newGap(t, "resume=1m", slots(1))
	g.near.send("a").want(t, nil)
	held := g.far.take(1).wantGot(t, "a").Got[0]
	for range 5 {
		g.Cut(false)
		g.far.until(t, "an answer", func(s driver.Stats) bool { return s.Held == 1 })
	}
	g.Cut(false)
	g.far.settle(driver.OpDone, held.Hold).want(t, nil)
	if s := g.near.Stats(); s.Held != 0 || s.Redelivered != 0 || s.Received != 1 {
		t.Errorf("%+v", s)
	}
}

// TestHalfOpen: a client that comes back while the home still believes in the old
// connection takes its session over.
func TestHalfOpen(t *testing.T) {
	g := newGap(t, "resume=1m", slots(1))
	received := g.far.recv(1)
	g.near.untilReceiving(t, 1)
	for i := range 10 {
		g.CutHalf(badline.Up)
		g.near.send("a").want(t, nil)
		if it := received.wantGot(t, "a").Got[0]; it.Attempt != 1 {
			t.Fatalf("turn %d: attempt %d", i, it.Attempt)
		}
		received = g.far.recv(1)
	}
	g.told(t, "on a new connection")
}

// TestHomeRestarted: a home that was started anew knows nothing of the session,
// and the client hears so at once.
func TestHomeRestarted(t *testing.T) {
	g := newGap(t, "resume=1h", slots(1))
	g.far.send("a").want(t, nil)
	sent, empty := g.far.send("b"), mustOpenURL(t, tcpURL(g.Address(), "empty", "resume=1h"), both)
	g.near.untilSending(t, 1)
	received := empty.recv(1)
	_, anew := serveTCP(t, hub.Options{})
	g.Cut(true)
	g.Up(anew)
	if sent.want(t, driver.ErrInDoubt); !strings.Contains(sent.Err.Error(), "no such session") {
		t.Error(sent.Err)
	}
	received.want(t, driver.ErrUnreachable)
	again := mustOpenURL(t, tcpURL(g.Address(), "jobs", "resume=1h"), slots(1))
	again.send("c").want(t, nil)
	again.recv(1).wantGot(t, "c")
}

// TestDetachInTheGap: whoever leaves while there is no connection waits no longer
// than he wants to, and is gone when there is one.
func TestDetachInTheGap(t *testing.T) {
	g := newGap(t, "resume=1m", slots(1))
	g.near.send("a").want(t, nil)
	g.far.take(1).wantGot(t, "a")
	g.Cut(true)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := g.far.Detach(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Detach in a gap: %v", err)
	}
	g.far.recv(1).want(t, driver.ErrDetached)
	again := g.near.recv(1)
	g.Up(g.home)
	if it := again.wantGot(t, "a").Got[0]; it.Attempt != 2 {
		t.Errorf("attempt %d", it.Attempt)
	}
}

// TestHomeClosesInTheGap: a home does not wait for who is away.
func TestHomeClosesInTheGap(t *testing.T) {
	h, home := serveTCP(t, hub.Options{})
	p := through(t, home, badline.Never)
	e, err := openURL(t.Context(), tcpURL(p.Address(), "jobs", "resume=5s"), slots(1))
	if err != nil {
		t.Fatal(err)
	}
	e.recv(1)
	e.until(t, "receivers waiting", func(s driver.Stats) bool { return s.ReceiversWaiting == 1 })
	p.Cut(true)
	began := time.Now()
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if after := time.Since(began); after > 4*time.Second {
		t.Errorf("closed after %v", after)
	}
}

// TestHolderKilledTCP: what a killed process held returns when it had its time to
// come back, and not before; with resume=0 at once.
func TestHolderKilledTCP(t *testing.T) {
	_, home := serveTCP(t, hub.Options{})
	for _, window := range []time.Duration{0, 700 * time.Millisecond} {
		url := tcpURL(home, "jobs", "")
		s, r := mustOpenURL(t, url, slots(1)), mustOpenURL(t, url, both)
		s.send("a").want(t, nil)
		holder := child(t, "holds", tcpURL(home, "jobs", "resume="+window.String()))
		got := r.recv(1)
		s.untilReceiving(t, 1)
		began := time.Now()
		kill(t, holder)
		if it := got.wantGot(t, "a").Got[0]; it.Attempt != 2 {
			t.Errorf("attempt %d", it.Attempt)
		}
		after := time.Since(began)
		t.Logf("resume=%v: returned after %v", window, after)
		if after < window || window == 0 && after > 500*time.Millisecond {
			t.Errorf("returned after %v with resume=%v", after, window)
		}
	}
}

// TestResumeRefused: a wish for resume that cannot be, or that the home does not
// grant, is refused at open.
func TestResumeRefused(t *testing.T) {
	_, home := serveTCP(t, hub.Options{MaxResume: time.Second})
	for parameters, want := range map[string]error{
		"resume=-1s":          driver.ErrConflict,
		"resume=61m":          driver.ErrConflict,
		"resume=x":            driver.ErrConflict,
		"resume=1s&resume=2s": driver.ErrConflict,
		"resume=2s":           driver.ErrUnsupported,
		"":                    driver.ErrUnsupported, // 5s
	} {
		if _, err := openURL(t.Context(), tcpURL(home, "jobs", parameters), both); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", parameters, err, want)
		}
	}
	_, not := serveTCP(t, hub.Options{MaxResume: -1})
	for parameters, home := range map[string]string{"resume=1s": home, "resume=0": home, "resume=0s": not} {
		if _, err := openURL(t.Context(), tcpURL(home, "jobs", parameters), both); err != nil {
			t.Errorf("%s: %v", parameters, err)
		}
	}
	if _, err := openURL(t.Context(), tcpURL(not, "jobs", "resume=1s"), both); !errors.Is(err, driver.ErrUnsupported) {
		t.Error(err)
	}
}

// TestNothingIsLeftTCP: the last Detach ends the session and its goroutines, at
// both sides, however often its connection broke.
func TestNothingIsLeftTCP(t *testing.T) {
	h, home := serveTCP(t, hub.Options{})
	p := through(t, home, badline.Never)
	before := runtime.NumGoroutine()
	for range 10 {
		a, err := openURL(t.Context(), tcpURL(p.Address(), "jobs", ""), slots(1))
		if err != nil {
			t.Fatal(err)
		}
		a.send("a").want(t, nil)
		p.Cut(false)
		a.recv(1).wantGot(t, "a")
		waits := a.recv(1)
		p.Cut(false)
		if err := a.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
		waits.want(t, driver.ErrDetached)
	}
	nothingLeft(t, h, before)
}
