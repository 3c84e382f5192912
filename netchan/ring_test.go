package netchan_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

// The ring: processes each of which selects, again and again, between sending to the
// next and receiving from the one before, over channels without slots at two homes,
// and which are killed all the while, at any instant. Every select that ended did one
// thing: a value that was kept is seen by nobody, one that was sent is seen by one.

const (
	ringSends, ringTakes = "HANDOFF_RING_SENDS", "HANDOFF_RING_TAKES"
	ringName             = "HANDOFF_RING_NAME"
)

func init() {
	roles["ring"] = func(string) {
		ctx, stop := context.WithCancel(context.Background())
		out, err := handoff.OpenSender[string](ctx, os.Getenv(ringSends))
		must(err)
		in, err := handoff.OpenReceiver[string](ctx, os.Getenv(ringTakes))
		must(err)
		go func() { // until the process ends
			io.Copy(io.Discard, os.Stdin)
			stop()
		}()
		for n := 0; ctx.Err() == nil; n++ {
			v := fmt.Sprintf("%s.%d", os.Getenv(ringName), n)
			var got string
			i, err := handoff.Select(ctx, out.OnSend(v, nil), in.OnRecv(func(v string, _ bool) { got = v }))
			switch {
			case errors.Is(err, handoff.ErrInDoubt):
				say("doubt %s", v)
			case i == 0 && err == nil:
				say("sent %s", v)
			case i == 1 && err == nil:
				say("kept %s\ngot %s", v, got)
			case ctx.Err() != nil:
				say("kept %s", v)
			default:
				must(fmt.Errorf("case %d: %w", i, err))
			}
		}
		must(out.Detach())
		must(in.Detach())
		os.Exit(0)
	}
}

// ringRun is one run.
type ringRun struct {
	t     *testing.T
	urls  []string
	names int

	mu       sync.Mutex // guards the rest
	sent     map[string]bool
	kept     map[string]bool
	doubt    map[string]bool
	got      map[string][]string // by whom
	killed   map[string]bool
	said     int
	more     *sync.Cond
	children sync.WaitGroup
}

// ringChild is one in the ring.
type ringChild struct {
	name string
	cmd  *exec.Cmd
	in   io.Closer
}

// start has a child take the place at.
func (r *ringRun) start(at int) *ringChild {
	r.names++
	c := &ringChild{name: fmt.Sprintf("p%d", r.names), cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childEnv+"=ring", ringName+"="+c.name,
		ringSends+"="+r.urls[at], ringTakes+"="+r.urls[(at+len(r.urls)-1)%len(r.urls)])
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	c.in = in
	r.children.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			r.note(c.name, lines.Text())
		}
		err := c.cmd.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if err != nil && !r.killed[c.name] {
			r.t.Errorf("%s ended by itself: %v", c.name, err)
		}
		r.more.Broadcast()
	})
	return c
}

// note notes what a child says.
func (r *ringRun) note(who, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what, v, _ := strings.Cut(line, " ")
	switch what {
	case "sent":
		r.sent[v] = true
	case "kept":
		r.kept[v] = true
	case "doubt":
		r.doubt[v] = true
	case "got":
		r.got[v] = append(r.got[v], who)
	default:
		r.t.Errorf("%s says %q", who, line)
	}
	r.said++
	r.more.Broadcast()
}

// await waits until the children have said n lines more.
func (r *ringRun) await(n int) {
	timer := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.t.Errorf("the ring stands still after %d lines", r.said)
		r.said += 1 << 30
		r.more.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for until := r.said + n; r.said < until; {
		r.more.Wait()
	}
}

func TestRingOfProcesses(t *testing.T) {
	_, one := serve(t, hub.Options{})
	_, two := serve(t, hub.Options{})
	runRing(t, 20, 60, urlOf(one, "a"), urlOf(two, "b"), urlOf(one, "c"))
}

// TestRingOfProcessesCut is the same with the second home behind a line that is cut all
// the time. The ring may have to wait for a session whose process was killed, so that
// fewer are.
func TestRingOfProcessesCut(t *testing.T) {
	r := randomly(t)
	_, one := serve(t, hub.Options{})
	_, two := serveTCP(t, hub.Options{})
	p := through(t, two, cutsAfter(r, 400, 4000))
	runRing(t, 5, 3000, urlOf(one, "a"), tcpURL(p.Address(), "b", "resume=3s"), urlOf(one, "c"))
	connections, _ := p.Figures()
	t.Logf("%d connections", connections)
	if connections < 20 { // of which the first of each process, 8 of them, is no resume
		t.Errorf("the line was cut too seldom: %d connections", connections)
	}
}

// runRing runs a ring over the channels at urls, and kills so many of it, each when it
// has said up to apart lines more.
func runRing(t *testing.T, kills, apart int, urls ...string) {
	seed := drivertest.NewSeed()
	t.Logf("seed %d (repeat with -drivertest.seed=%d)", seed, seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	r := &ringRun{
		t: t, urls: urls,
		sent: map[string]bool{}, kept: map[string]bool{}, doubt: map[string]bool{},
		got: map[string][]string{}, killed: map[string]bool{},
	}
	r.more = sync.NewCond(&r.mu)
	var ring []*ringChild
	for at := range r.urls {
		ring = append(ring, r.start(at))
	}
	for range kills {
		if r.await(1 + dice.IntN(apart)); t.Failed() {
			break
		}
		at := dice.IntN(len(ring))
		r.mu.Lock()
		r.killed[ring[at].name] = true
		r.mu.Unlock()
		ring[at].cmd.Process.Kill()
		ring[at] = r.start(at)
	}
	for _, c := range ring {
		c.in.Close()
	}
	r.children.Wait()
	r.judge()
}

// judge finds out whether every select did one thing.
func (r *ringRun) judge() {
	again, unheard := 0, 0
	for _, v := range slices.Sorted(maps.Keys(r.got)) {
		by := r.got[v]
		if r.kept[v] {
			r.t.Errorf("%s was kept by its sender, and received by %v", v, by)
		}
		alive := 0
		for _, who := range by {
			if !r.killed[who] {
				alive++
			}
		}
		if alive > 1 {
			r.t.Errorf("%s was received by %v", v, by)
		}
		if len(by) > 1 {
			again++
		}
	}
	for v := range r.sent {
		if len(r.got[v]) == 0 {
			unheard++
		}
	}
	// A receiver may have been killed between its select and its line, once each.
	if unheard > len(r.killed) {
		r.t.Errorf("%d values were sent and received by nobody, with %d killed", unheard, len(r.killed))
	}
	r.t.Logf("%d sent, %d received, %d kept, %d in doubt; %d killed, %d values seen again, %d received by one who could not say so",
		len(r.sent), len(r.got), len(r.kept), len(r.doubt), len(r.killed), again, unheard)
}
