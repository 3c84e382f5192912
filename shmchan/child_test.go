package shmchan

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/apart"
	"github.com/handoff-go/handoff/internal/shm/seg"
	"github.com/handoff-go/handoff/internal/testproc"
)

// childEnv begins the names of what children are given besides.
const childEnv = "HANDOFF_SHMCHAN_CHILD"

// roles are what a child can be. It is given a URL, says "ready" when it is in place, and
// lives until its input ends.
var roles = map[string]func(url string){
	// holder takes a value and does not settle it.
	"holder": func(url string) {
		ch, err := handoff.Open[int](context.Background(), url)
		must(err)
		_, err = ch.Take(context.Background())
		must(err)
	},
	// idler opens the channel, and no more.
	"idler": func(url string) {
		_, err := handoff.Open[int](context.Background(), url)
		must(err)
	},
	// founder makes the channel, fills it, and waits.
	"founder": func(url string) {
		ch, err := handoff.Open[int](context.Background(), url)
		must(err)
		must(ch.Send(context.Background(), 1))
	},
	// waiter waits for a value.
	"waiter": func(url string) {
		ch, err := handoff.Open[int](context.Background(), url)
		must(err)
		go ch.Recv(context.Background())
		for ch.Stats().ReceiversWaiting == 0 {
		}
	},
	// selector waits in a select to receive, and says what it has got.
	"selector": func(url string) {
		ch, err := handoff.Open[int](context.Background(), url)
		must(err)
		go selecting(ch.OnRecv(func(v int, _ bool) { fmt.Println("got", v) }))
		for ch.Stats().ReceiversWaiting == 0 {
		}
	},
	// offerer waits in a select to send 7, and says when it has.
	"offerer": func(url string) {
		ch, err := handoff.Open[int](context.Background(), url)
		must(err)
		go selecting(ch.OnSend(7, func() { fmt.Println("sent") }))
		for ch.Stats().SendersWaiting == 0 {
		}
	},
	// receiver is the child of a crew.
	"receiver": func(string) { apart.Receive(ownedBy) },
	// echo sends back what comes, until the channel is closed.
	"echo": func(url string) {
		in, err := handoff.OpenReceiver[[64]byte](context.Background(), url+"-there?slots=1")
		must(err)
		out, err := handoff.OpenSender[[64]byte](context.Background(), url+"-back?slots=1")
		must(err)
		go func() {
			for v := range in.All(context.Background()) {
				must(out.Send(context.Background(), v))
			}
		}()
	},
	// source sends for ever, one by one or in batches.
	"source": func(url string) {
		out, err := handoff.OpenSender[[64]byte](context.Background(), url)
		must(err)
		n := 1
		fmt.Sscan(os.Getenv(childEnv+"_BATCH"), &n)
		go func() {
			for vs := make([][64]byte, n); ; {
				if n == 1 {
					must(out.Send(context.Background(), vs[0]))
				} else if _, err := out.SendAll(context.Background(), vs); err != nil {
					must(err)
				}
			}
		}()
	},
}

// selecting is a select of c, and one that is decided in this process.
func selecting(c handoff.Case) {
	_, err := handoff.Select(context.Background(), c, handoff.OnNative(make(chan int), nil))
	must(err)
}

func must(err error) { testproc.Must(err) }

func TestMain(m *testing.M) {
	if testproc.IsChild() {
		for _, arm := range armPoints {
			arm()
		}
	}
	testproc.Main(m, roles)
}

// armPoints have a child stop or kill itself where its environment says, in a build that has points.
var armPoints []func()

// child starts a child, and waits until it is ready. It ends with the test.
func child(t testing.TB, role, url string, env ...string) *exec.Cmd {
	t.Helper()
	cmd, _ := talker(t, role, url, env...)
	return cmd
}

// talker is child, and what it says.
func talker(t testing.TB, role, url string, env ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	return testproc.Talker(t, role, url, testproc.Options{Env: env})
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	testproc.Kill(t, cmd)
}

// patience bounds a wait: reaching it is a failure.
const patience = 10 * time.Second

func fresh(t testing.TB) string {
	return "shm:" + unique + strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
}

// opened is a channel that is open as long as the test lasts, and a context for what is done
// with it.
func opened[T any](t testing.TB, within time.Duration, url string) (context.Context, handoff.Chan[T]) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), within)
	ch, err := handoff.Open[T](ctx, url)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); ch.Detach() })
	return ctx, ch
}

// TestHolderDies: what a killed process held comes back, with its attempt raised, at once.
func TestHolderDies(t *testing.T) {
	ctx, ch := opened[int](t, patience, fresh(t)+"?slots=2")
	ch.Send(ctx, 1)
	ch.Send(ctx, 2)
	cmd := child(t, "holder", fresh(t))
	if st := ch.Stats(); st.Held != 1 || st.Receivers != 2 {
		t.Fatalf("%+v, want one value held and two receivers", st)
	}
	kill(t, cmd)
	begin := time.Now()
	for ch.Stats().Held != 0 {
		if ctx.Err() != nil {
			t.Fatalf("%+v: what a dead process held does not come back", ch.Stats())
		}
	}
	t.Logf("it was back %v after the death was known", time.Since(begin))
	d, err := ch.Take(ctx)
	if err != nil || d.Value != 1 || d.Attempt != 2 {
		t.Errorf("took %d, attempt %d, %v; want 1 for the second time", d.Value, d.Attempt, err)
	}
}

// TestIdlerDies: a killed process that had only opened the channel is no member any more,
// though nobody waits for anything.
func TestIdlerDies(t *testing.T) {
	ctx, ch := opened[int](t, patience, fresh(t)+"?slots=2")
	cmd := child(t, "idler", fresh(t))
	if st := ch.Stats(); st.Receivers != 2 || st.Senders != 2 {
		t.Fatalf("%+v, want two of each", st)
	}
	kill(t, cmd)
	for st := ch.Stats(); st.Receivers != 1 || st.Senders != 1; st = ch.Stats() {
		if ctx.Err() != nil {
			t.Fatalf("%+v: a dead process is still counted", st)
		}
	}
}

// TestAllDie: a channel whose processes are all dead is gone, and is made anew.
func TestAllDie(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	kill(t, child(t, "founder", fresh(t)+"?slots=3"))
	if _, err := handoff.Open[int](ctx, fresh(t)+"?create=no"); err == nil {
		t.Error("a channel of the dead was opened")
	}
	ch, err := handoff.Open[int](ctx, fresh(t)+"?slots=2")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Detach()
	if n := ch.Len(); n != 0 || ch.Cap() != 2 {
		t.Errorf("%d values, %d slots; want a new channel", n, ch.Cap())
	}
}

// TestTheDeadAreSweptAway: a channel whose processes are all dead is gone when another one is made,
// though nobody opens it ever again.
func TestTheDeadAreSweptAway(t *testing.T) {
	kill(t, child(t, "founder", fresh(t)+"?slots=3"))
	name := strings.TrimPrefix(fresh(t), "shm:")
	there := func() bool {
		names, err := seg.List()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(names, name)
	}
	if !there() {
		t.Fatal("the dead channel is not there to be swept away")
	}
	// A process looks at a few others only when it makes one, and not often.
	for begin, i := time.Now(), 0; there(); i++ {
		if time.Since(begin) > patience {
			t.Fatal("it is there still")
		}
		other := fmt.Sprint(fresh(t), "-", i)
		kill(t, child(t, "founder", other+"?slots=1"))
		t.Cleanup(func() { // who opens it ends it
			if ch, err := handoff.Open[int](context.Background(), other); err == nil {
				ch.Detach()
			}
		})
	}
}

// TestWaiterDies: a value is not given to a process that was killed while it waited.
func TestWaiterDies(t *testing.T) {
	ctx, ch := opened[int](t, patience, fresh(t)+"?slots=0")
	kill(t, child(t, "waiter", fresh(t)))
	sent := make(chan error)
	go func() { sent <- ch.Send(ctx, 7) }()
	if v, err := ch.Recv(ctx); v != 7 || err != nil {
		t.Errorf("received %d, %v", v, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
