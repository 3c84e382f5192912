//go:build linux && handoff_shmpoints

package shmchan

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/shm"
)

// stopEnv names the point at which a child stops itself, killEnv the one at which it kills
// itself, as name:passage.
const (
	stopEnv = childEnv + "_STOP"
	killEnv = childEnv + "_KILL"
)

func init() {
	armPoints = append(armPoints, func() {
		var done atomic.Bool
		at := os.Getenv(stopEnv)
		last, times, _ := strings.Cut(os.Getenv(killEnv), ":")
		var left atomic.Int64
		n, _ := strconv.ParseInt(times, 10, 64)
		left.Store(n)
		shm.AtPoint = func(p shm.Point) {
			if p.String() == last && left.Add(-1) == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // never comes back
			}
			if p.String() != at || done.Swap(true) {
				return
			}
			runtime.LockOSThread() // a stop of the process would let this thread go on for a while
			unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSTOP)
			runtime.UnlockOSThread()
		}
	})
}

// TestStoppedClaim: a process that is stopped when it has claimed its ticket, or has promised, holds
// up who meets it for a lease, and no longer; and what it does when it goes on takes effect once.
func TestStoppedClaim(t *testing.T) {
	for _, at := range []shm.Point{shm.PointClaimed, shm.PointPromised} {
		t.Run(at.String(), func(t *testing.T) { stoppedAt(t, at) })
	}
}

func stoppedAt(t *testing.T, at shm.Point) {
	ctx, ch := opened[int](t, 2*patience, fresh(t)+"?slots=0")
	other := handoff.Make[int](0)
	cmd, said := talker(t, "offerer", fresh(t), stopEnv+"="+at.String())
	got := 0
	chose := make(chan int, 1)
	go func() {
		i, err := handoff.Select(ctx, ch.OnRecv(func(v int, _ bool) { got = v }), other.OnRecv(nil))
		if err != nil {
			t.Error(err)
		}
		chose <- i
	}()
	stopped(t, cmd)
	// The one who meets it is free again for its other case, unless it has met it already.
	begin := time.Now()
	brief, end := context.WithTimeout(ctx, leased)
	defer end()
	mine := other.Send(brief, 1)
	i := <-chose
	switch took := time.Since(begin); {
	case mine == nil && i != 1, mine != nil && i != 0, i == 0 && got != 7:
		t.Fatalf("the send ended with %v, the select chose %d and got %d", mine, i, got)
	case i == 1 && took > leased:
		t.Errorf("it took %v to do without a stopped process", took)
	}
	if i == 1 { // and so is a plain pair behind it
		begin := time.Now()
		sent := make(chan error, 1)
		go func() { sent <- ch.Send(ctx, 8) }()
		v, err := ch.Recv(ctx)
		if took := time.Since(begin); err != nil || took > leased {
			t.Errorf("received %d, %v, after %v", v, err, took)
		}
		signal(t, cmd, syscall.SIGCONT)
		w, err := ch.Recv(ctx)
		if err != nil || v+w != 7+8 {
			t.Errorf("received %d and %d, %v", v, w, err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	} else {
		signal(t, cmd, syscall.SIGCONT)
	}
	if line, err := said.ReadString('\n'); line != "sent\n" {
		t.Errorf("it went on to say %q, %v", line, err)
	}
	if v, ok, err := ch.TryRecv(); ok || err != nil {
		t.Errorf("received %d besides, %v", v, err)
	}
}
