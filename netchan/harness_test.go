package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	_ "github.com/handoff-go/handoff/netchan"
)

// patience bounds every wait of a test: reaching it is a failure.
const patience = 20 * time.Second

// errGivenUp is what the tests cancel with.
var errGivenUp = errors.New("given up")

// serve starts a hub on a fresh socket and returns the socket's path.
func serve(t testing.TB, opts hub.Options) (*hub.Hub, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	return serveAt(t, path, opts), path
}

func serveAt(t testing.TB, path string, opts hub.Options) *hub.Hub {
	t.Helper()
	l, err := hub.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, opts)
}

func serveOn(t testing.TB, l net.Listener, opts hub.Options) *hub.Hub {
	t.Helper()
	h := hub.New(opts)
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		h.Close(ctx) // a test may have closed it, and may leave values behind
		if err := <-served; err != hub.ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
	return h
}

// both is the right to do everything.
var both = driver.Config{Send: true, Receive: true, Slots: -1}

// slots is both with so many slots.
func slots(n int) driver.Config {
	cfg := both
	cfg.Slots = n
	return cfg
}

// open attaches to the channel name at a home.
func open(t testing.TB, at, name string, cfg driver.Config) end {
	t.Helper()
	e, err := tryOpen(at, name, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Detach(context.Background()) })
	return e
}

func tryOpen(at, name string, cfg driver.Config) (end, error) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	return openWithin(ctx, at, name, cfg)
}

func openWithin(ctx context.Context, at, name string, cfg driver.Config) (end, error) {
	return openURL(ctx, urlOf(at, name), cfg)
}

// end is an attachment with operations that wait.
type end struct{ driver.Channel }

// pending is an operation under way.
type pending struct {
	*driver.Op
	ch   driver.Channel
	done chan struct{}
}

func (e end) start(op driver.Op) *pending {
	p := &pending{ch: e.Channel, done: make(chan struct{})}
	p.Op = driver.NewOp(op.Kind, func(*driver.Op) { close(p.done) })
	p.Try, p.Items, p.Max, p.Ticket = op.Try, op.Items, op.Max, op.Ticket
	p.Hold, p.Delay, p.Reason = op.Hold, op.Delay, op.Reason
	p.Cases, p.First, p.After = op.Cases, op.First, op.After
	e.Channel.Start(p.Op)
	return p
}

// wait returns when the operation has ended.
func (p *pending) wait(t testing.TB) *pending {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("operation of kind %d did not end", p.Kind)
	}
	return p
}

// giveUp cancels the operation and waits for its end.
func (p *pending) giveUp(t testing.TB) *pending {
	t.Helper()
	p.ch.Cancel(p.Op, errGivenUp)
	return p.wait(t)
}

func (p *pending) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// want checks how the operation ended.
func (p *pending) want(t testing.TB, err error) *pending {
	t.Helper()
	if p.wait(t); !errors.Is(p.Err, err) || err == nil && p.Err != nil {
		t.Fatalf("operation of kind %d ended with %v, want %v", p.Kind, p.Err, err)
	}
	return p
}

func items(values ...string) (items []driver.Item) {
	for _, v := range values {
		items = append(items, driver.Item{Value: []byte(v)})
	}
	return items
}

func (e end) send(values ...string) *pending {
	return e.start(driver.Op{Kind: driver.OpSend, Items: items(values...)})
}

func (e end) trySend(value string) *pending {
	return e.start(driver.Op{Kind: driver.OpSend, Try: true, Items: items(value)})
}

func (e end) recv(max int) *pending { return e.start(driver.Op{Kind: driver.OpRecv, Max: max}) }

func (e end) tryRecv() *pending { return e.start(driver.Op{Kind: driver.OpRecv, Max: 1, Try: true}) }

func (e end) take(max int) *pending { return e.start(driver.Op{Kind: driver.OpTake, Max: max}) }

func (e end) do(kind driver.Kind) *pending { return e.start(driver.Op{Kind: kind}) }

func (e end) settle(kind driver.Kind, hold driver.Hold) *pending {
	return e.start(driver.Op{Kind: kind, Hold: hold})
}

// values are what the operation received.
func (p *pending) values(t testing.TB) (values []string) {
	t.Helper()
	p.want(t, nil)
	for _, it := range p.Got {
		values = append(values, string(it.Value))
	}
	return values
}

// wantGot checks what the operation received.
func (p *pending) wantGot(t testing.TB, values ...string) *pending {
	t.Helper()
	if got := p.values(t); fmt.Sprint(got) != fmt.Sprint(values) {
		t.Fatalf("received %q, want %q", got, values)
	}
	return p
}

// until waits for the figures of a channel to be as ok wants them: the way to
// know that an operation is waiting at the home.
func (e end) until(t testing.TB, what string, ok func(driver.Stats) bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for s := e.Stats(); !ok(s); s = e.Stats() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so after %v: %+v", what, patience, s)
		}
	}
}

func (e end) untilSending(t testing.TB, n int) {
	t.Helper()
	e.until(t, "senders waiting", func(s driver.Stats) bool { return s.SendersWaiting == n })
}

func (e end) untilReceiving(t testing.TB, n int) {
	t.Helper()
	e.until(t, "receivers waiting", func(s driver.Stats) bool { return s.ReceiversWaiting == n })
}

// nothingLeft checks that there are no more goroutines than there were before,
// once both sides have ended what they began, and no ends at the home.
func nothingLeft(t *testing.T, h *hub.Hub, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched() // the home's ends follow ours
	}
	for name, s := range h.Channels() {
		if s.Senders != 0 || s.Receivers != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
