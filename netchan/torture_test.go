//go:build unix

package netchan_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

// The torture: processes send, other processes take, say what they took, and
// confirm, and are killed all the while, at any instant. Whoever is killed is
// replaced. At the end every value has been confirmed once, and was seen again
// only by a receiver that was told so.

// What the environment says to a tortured child.
const (
	tortureURL  = "HANDOFF_TORTURE_URL"
	tortureName = "HANDOFF_TORTURE_NAME"
)

// tortureKills is how many receivers are killed in a run.
const tortureKills = 20

func init() {
	roles["tortured sender"] = func(string) {
		s, err := handoff.OpenSender[string](context.Background(), os.Getenv(tortureURL))
		must(err)
		var enough atomic.Bool // set when the input ends, loaded before each value
		go func() {            // until the process ends
			io.Copy(io.Discard, os.Stdin)
			enough.Store(true)
		}()
		n := 0
		for ; !enough.Load(); n++ {
			must(s.Send(context.Background(), fmt.Sprintf("%s.%d", os.Getenv(tortureName), n)))
		}
		say("sent %s %d", os.Getenv(tortureName), n)
		must(s.Detach())
		os.Exit(0)
	}
	roles["tortured receiver"] = func(string) {
		r, err := handoff.OpenReceiver[string](context.Background(), os.Getenv(tortureURL))
		must(err)
		for {
			d, err := r.Take(context.Background())
			if errors.Is(err, handoff.ErrClosed) {
				os.Exit(0)
			}
			must(err)
			say("got %s %d", d.Value, d.Attempt)
			must(d.Done())
			say("done %s %d", d.Value, d.Attempt)
		}
	}
}

// torture is one run.
type torture struct {
	t    *testing.T
	hub  *hub.Hub
	dial func(cmd *exec.Cmd) (url string, served func()) // how a child reaches the hub
	here string                                          // how this process does
	dice *rand.Rand

	mu       sync.Mutex       // guards the rest
	sent     map[string]int   // by sender
	got      map[string][]int // attempts, by value
	done     map[string]int
	heard    int
	more     *sync.Cond  // heard has grown, or a child has ended
	enough   []io.Closer // the inputs of the senders
	living   map[*exec.Cmd]bool
	killed   int
	children sync.WaitGroup
}

// start starts a child and notes what it says until it ends.
func (tr *torture) start(role, name string) {
	cmd := exec.Command(os.Args[0])
	url, served := tr.dial(cmd)
	cmd.Env = append(os.Environ(), childEnv+"="+role, tortureURL+"="+url, tortureName+"="+name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tr.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	served()
	tr.mu.Lock()
	tr.living[cmd] = role == "tortured receiver"
	if !tr.living[cmd] {
		tr.enough = append(tr.enough, in)
	}
	tr.mu.Unlock()
	tr.children.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			tr.note(lines.Text())
		}
		err := cmd.Wait()
		tr.mu.Lock()
		defer tr.mu.Unlock()
		_, expected := tr.living[cmd]
		delete(tr.living, cmd)
		tr.more.Broadcast()
		if err != nil && expected {
			tr.t.Errorf("%s %s: %v", role, name, err)
		}
	})
}

// note notes what a receiver said.
func (tr *torture) note(line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var what, value string
	var attempt int
	if n, _ := fmt.Sscan(line, &what, &value, &attempt); n != 3 {
		tr.t.Errorf("a child says %q", line)
		return
	}
	switch what {
	case "sent":
		tr.sent[value] = attempt
	case "got":
		seen := tr.got[value]
		if len(seen) > 0 && seen[len(seen)-1] >= attempt {
			tr.t.Errorf("%s came as attempt %d after attempts %v", value, attempt, seen)
		}
		if tr.done[value] > 0 {
			tr.t.Errorf("%s came as attempt %d and was confirmed", value, attempt)
		}
		tr.got[value] = append(seen, attempt)
	default:
		tr.done[value]++
	}
	tr.heard++
	tr.more.Broadcast()
}

// killOne kills a receiver once a few more lines were heard, and replaces it.
func (tr *torture) killOne(n int) {
	tr.mu.Lock()
	for until := tr.heard + 3 + tr.dice.IntN(12); tr.heard < until; {
		tr.more.Wait()
	}
	var victims []*exec.Cmd
	for cmd, receives := range tr.living {
		if receives {
			victims = append(victims, cmd)
		}
	}
	victim := victims[tr.dice.IntN(len(victims))]
	delete(tr.living, victim) // its end is expected
	tr.killed++
	pause := time.Duration(tr.dice.IntN(1000)) * time.Microsecond
	tr.mu.Unlock()
	time.Sleep(pause) // no order: at any instant
	victim.Process.Kill()
	tr.start("tortured receiver", fmt.Sprint("r", n))
}

// check judges the run.
func (tr *torture) check(r handoff.Receiver[string]) {
	t := tr.t
	seen, again, total := 0, 0, 0
	for name, n := range tr.sent {
		total += n
		for i := range n {
			v := fmt.Sprintf("%s.%d", name, i)
			if len(tr.got[v]) == 0 {
				t.Errorf("%s was lost", v)
				continue
			}
			seen++
			again += len(tr.got[v]) - 1
			if tr.done[v] > 1 {
				t.Errorf("%s was confirmed %d times", v, tr.done[v])
			}
		}
	}
	stats := r.Stats()
	if n := uint64(total); stats.Sent != n || stats.Received != n || stats.Len+stats.Held != 0 || seen != total || len(tr.got) != total {
		t.Errorf("%d values were sent, %d seen of %d: %+v", total, seen, len(tr.got), stats)
	}
	if int(stats.Redelivered) < again {
		t.Errorf("%d redelivered, %d seen again", stats.Redelivered, again)
	}
	t.Logf("%d values, %d receivers killed, %d values came again", total, tr.killed, stats.Redelivered)
}

func TestTorture(t *testing.T) {
	seed := drivertest.NewSeed()
	t.Logf("seed %d (repeat with -drivertest.seed=%d)", seed, seed)
	for _, transport := range []string{"unix", "tcp", "pipe"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			tr := &torture{
				t: t, hub: hub.New(hub.Options{}), dice: rand.New(rand.NewPCG(seed, 0)),
				sent: map[string]int{}, got: map[string][]int{}, done: map[string]int{}, living: map[*exec.Cmd]bool{},
			}
			tr.more = sync.NewCond(&tr.mu)
			tr.dial = tr.dialer(transport)
			tr.run()
		})
	}
}

// dialer returns how children reach the hub, which listens for them.
func (tr *torture) dialer(transport string) func(*exec.Cmd) (string, func()) {
	path := filepath.Join(tr.t.TempDir(), "s")
	own, err := hub.ListenUnix(path) // for this process, in any case
	if err != nil {
		tr.t.Fatal(err)
	}
	go tr.hub.Serve(own)
	here := "unix:" + (&url.URL{Path: path}).EscapedPath() + "?chan=jobs&slots=3"
	tr.here = here
	same := func(url string) func(*exec.Cmd) (string, func()) {
		return func(*exec.Cmd) (string, func()) { return url, func() {} }
	}
	switch transport {
	case "unix":
		return same(here)
	case "tcp":
		l, err := hub.ListenTCP("127.0.0.1:0")
		if err != nil {
			tr.t.Fatal(err)
		}
		go tr.hub.Serve(l)
		return same("tcp://" + l.Addr().String() + "/jobs?slots=3&resume=100ms")
	}
	return func(cmd *exec.Cmd) (string, func()) {
		fromChild, childOut, err := os.Pipe()
		if err != nil {
			tr.t.Fatal(err)
		}
		childIn, toChild, err := os.Pipe()
		if err != nil {
			tr.t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{childIn, childOut}
		return "pipe:?in=3&out=4&chan=jobs&slots=3", func() {
			childIn.Close()
			childOut.Close()
			var conn net.Conn
			if conn, err = hub.PipeConn(fromChild, toChild); err != nil {
				tr.t.Error(err)
				return
			}
			go tr.hub.ServeConn(conn) // ends with the hub
		}
	}
}

// run has senders and receivers at work and kills receivers until all is sent.
func (tr *torture) run() {
	const senders, receivers = 2, 3
	t := tr.t
	ch, err := handoff.Open[string](t.Context(), tr.here)
	if err != nil {
		t.Fatal(err)
	}
	for i := range receivers {
		tr.start("tortured receiver", fmt.Sprint("r", i))
	}
	for i := range senders {
		tr.start("tortured sender", fmt.Sprint("s", i))
	}
	for n := range tortureKills {
		tr.killOne(receivers + n)
	}
	for _, in := range tr.enough {
		in.Close()
	}
	tr.mu.Lock()
	for len(tr.sent) < senders {
		tr.more.Wait()
	}
	tr.mu.Unlock()
	if err := ch.Close(); err != nil {
		t.Error(err)
	}
	tr.children.Wait()
	tr.check(ch.Receiver)
	ch.Detach()
	if err := tr.hub.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if len(tr.living) != 0 {
		t.Errorf("%d children are left", len(tr.living))
	}
}
