//go:build race

package handoff_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
)

// raceProgram is a small program with or without a data race around a channel.
type raceProgram struct {
	name string
	racy bool
	run  func()
}

type box struct{ n int }

// later lets f run once the other goroutine has surely gone on, without
// synchronizing with it in the detector's eyes.
func later(f func()) {
	time.Sleep(20 * time.Millisecond)
	f()
}

var racePrograms = []raceProgram{
	{"a close ends a receive beside a value that is held", false, func() {
		ch, p, sent := handoff.Make[int](0), &box{}, make(chan bool)
		go func() {
			ch.Send(nil, 1)
			close(sent)
		}()
		d, _ := ch.Take(nil)
		in(func() { ch.Recv(nil); p.n++ }, func() { later(func() { p.n++; ch.Close() }) })
		d.Done()
		<-sent
	}},
	{"a close ends a send that would time out", false, func() {
		ch, p := handoff.Make[int](0, handoff.SendTimeout(time.Minute)), &box{}
		in(func() { ch.Send(nil, 1); p.n++ }, func() { later(func() { p.n++; ch.Close() }) })
	}},
	{"a sender touches what it handed over", true, func() {
		ch := handoff.Make[*box](1)
		p := &box{}
		in(func() { ch.Send(nil, p); p.n = 1 }, func() { later(func() { ch.Recv(nil) }) })
	}},
	{"and sends once more before the receiver comes", true, func() {
		ch := handoff.Make[*box](4)
		done := make(chan bool)
		go func() {
			p := &box{}
			ch.Send(nil, p)
			p.n = 1
			ch.Send(nil, &box{})
			close(done)
		}()
		in(func() { later(func() { ch.Recv(nil) }) })
		<-done
	}},
	{"a slice, over a rendezvous", true, func() {
		ch := handoff.Make[[]int](0)
		s := make([]int, 4)
		in(func() { ch.Recv(nil) }, func() { ch.Send(nil, s); s[3] = 1 })
	}},
	{"through a Take", true, func() {
		ch := handoff.Make[*box](1)
		p := &box{}
		in(func() { ch.Send(nil, p); p.n++ }, func() { later(func() { d, _ := ch.Take(nil); d.Done() }) })
	}},
	{"through a select", true, func() {
		ch := handoff.Make[*box](1)
		p := &box{}
		in(func() { ch.Send(nil, p); p.n++ }, func() { later(func() { handoff.Select(nil, ch.OnRecv(nil)) }) })
	}},
	{"two sends into slots order nothing", true, func() {
		ch := handoff.Make[int](2)
		x := new(int)
		in(func() { *x = 1; ch.Send(nil, 1) }, func() { later(func() { ch.Send(nil, 2); *x = 2 }) })
	}},
	{"a receive does not order an earlier waiting one", true, func() {
		ch := handoff.Make[int](10)
		x := new(int)
		in(func() { later(func() { ch.Send(nil, 0) }); *x = 1 }, func() { *x = 2; ch.Recv(nil) })
	}},
	{"handed over and left alone", false, func() {
		ch := handoff.Make[*box](0)
		in(func() {
			for v, err := range ch.All(nil) {
				if err != nil {
					return
				}
				v.n++
			}
		}, func() {
			for i := range 100 {
				ch.Send(nil, &box{i})
			}
			ch.Close()
		})
	}},
	{"slots as a semaphore", false, func() {
		ch := handoff.Make[int](1)
		x := new(int)
		work := func() {
			for range 50 {
				ch.Send(nil, 1)
				*x++
				ch.Recv(nil)
			}
		}
		in(work, work, work)
	}},
	{"a hold as a semaphore", false, func() {
		ch := handoff.Make[*box](1)
		ch.Send(nil, &box{})
		work := func() {
			for range 50 {
				d, _ := ch.Take(nil)
				d.Value.n++
				d.Return()
			}
		}
		in(work, work, work)
	}},
	{"a rendezvous orders what was before the receive", false, func() {
		ch := handoff.Make[int](0)
		x := new(int)
		in(func() { *x = 1; ch.Recv(nil) }, func() { ch.Send(nil, 1); *x = 2 })
	}},
	{"a settlement orders the sender", false, func() {
		ch := handoff.Make[int](0)
		x := new(int)
		in(func() { d, _ := ch.Take(nil); *x = 1; d.Done() }, func() { ch.Send(nil, 1); *x = 2 })
	}},
	{"close orders who sees it", false, func() {
		ch := handoff.Make[int](3)
		x := new(int)
		in(func() { *x = 1; ch.Close() }, func() { ch.Recv(nil); *x = 2 })
	}},
	{"stop orders who sees it", false, func() {
		ch := handoff.Make[int](0)
		x := new(int)
		in(func() { *x = 1; ch.Stop("enough") }, func() { handoff.Select(nil, ch.OnSend(1, nil), ch.OnStop(nil)); *x = 2 })
	}},
	{"select on both sides", false, func() {
		a, b := handoff.Make[*box](0), handoff.Make[*box](2)
		in(func() {
			for range 200 {
				handoff.Select(nil, a.OnSend(&box{1}, nil), b.OnSend(&box{2}, nil))
			}
		}, func() {
			use := func(v *box, ok bool) { v.n++ }
			for range 200 {
				handoff.Select(nil, a.OnRecv(use), b.OnRecv(use))
			}
		})
	}},
	{"batches", false, func() {
		ch := handoff.Make[*box](3)
		in(func() {
			vs := make([]*box, 10)
			for range 20 {
				for i := range vs {
					vs[i] = &box{i}
				}
				ch.SendAll(nil, vs)
			}
			ch.Close()
		}, func() {
			buf := make([]*box, 7)
			for {
				n, err := ch.RecvInto(nil, buf)
				if err != nil {
					return
				}
				for _, v := range buf[:n] {
					v.n++
				}
			}
		})
	}},
}

// in runs the functions at once and waits for them.
func in(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		wg.Go(f)
	}
	wg.Wait()
}

const raceProgramEnv = "HANDOFF_RACE_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(raceProgramEnv); name != "" {
		for _, p := range racePrograms {
			if p.name == name {
				p.run()
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRaceDetector runs each program in a process of its own, since the detector
// reports by the exit code: races around a channel are found as with Go's own,
// and only races are.
func TestRaceDetector(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range racePrograms {
		t.Run(strings.ReplaceAll(p.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), raceProgramEnv+"="+p.name, "GORACE=exitcode=66")
			out, err := cmd.CombinedOutput()
			found := strings.Contains(string(out), "DATA RACE")
			if !found && err != nil {
				t.Fatal(err, string(out))
			}
			if found != p.racy {
				t.Fatal(fmt.Sprintf("race reported: %v, want %v", found, p.racy), "\n"+string(out))
			}
		})
	}
}
