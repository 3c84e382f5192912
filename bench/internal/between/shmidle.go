package between

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

func init() { roles["shm waiters"] = shmWaiters }

// mostWaiting is a thousandth of a core, as L12 has it.
const mostWaiting = 1000

// waitingChannels is how many channels in shared memory two processes wait for; a test opens fewer.
var waitingChannels = 2000

// shmWaiters takes a URL. It opens as many channels as it is asked for, and waits for each.
func shmWaiters(args []string) part {
	var all []handoff.Chan[message]
	end := func() {
		for _, ch := range all {
			ch.Detach()
		}
	}
	return part{end: end, work: func(n int) measure.Sample {
		for range n {
			ch := open[message](args[0], fmt.Sprintf("w%d", len(all)), handoff.Slots(1))
			all = append(all, ch)
			go ch.Recv(context.Background()) // until it is detached
			for ch.Stats().ReceiversWaiting == 0 {
			}
		}
		return done()
	}}
}

// threads is how many the process has; 0 where that is not known.
func threads(p *process) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, rest, ok := bytes.Cut(status, []byte("\nThreads:"))
	if err != nil || !ok {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line)))
	return float64(n)
}

// waitForMany has two processes wait for n channels each, the same ones.
func waitForMany(f *Fleet, n int) (both [2]opened) {
	url := fmt.Sprintf("shm:handoff-bench-idle-%d-%%s?pool=65536&waiters=16&members=4", os.Getpid())
	waiters := []*process{f.start("shm waiters", url), f.start("shm waiters", url)}
	for _, p := range waiters {
		p.ask(1)
	}
	var before [2][]time.Duration
	for i, p := range waiters {
		before[i] = p.request(figuresOf)
	}
	for _, p := range waiters {
		p.ask(n)
	}
	for i, p := range waiters {
		after := p.request(figuresOf)
		both[i].bytes = float64(after[0]-before[i][0]) / float64(n)
		both[i].goroutines = int(after[1] - before[i][1])
		both[i].threads = threads(p)
	}
	time.Sleep(settleTime) // what is new is looked after a few times more
	for i, p := range waiters {
		both[i].cpu = -float64(crew{others: []*process{p}}.cpu().Microseconds())
	}
	time.Sleep(restTime)
	for i, p := range waiters {
		both[i].cpu = (both[i].cpu + float64(crew{others: []*process{p}}.cpu().Microseconds())) / restTime.Seconds()
	}
	return both
}

// settleTime is how long channels that are new are left alone; a test has less time.
var settleTime = 60 * time.Second

// waitingRows are what it costs to wait for many channels in shared memory, measured once for all of them.
func (s *sharing) waitingRows(n int) []*measure.Shape {
	two := sides{group + "shm", [2]string{"who came first", "who came second"}, sync.OnceValue(func() [2]opened { return waitForMany(s.Fleet, n) })}
	over := fmt.Sprintf("%d channels that two processes wait for, ", n)
	rows := []*measure.Shape{
		two.row(over+"bytes of heap and stacks of each, both", "B", 0, func(o opened) float64 { return o.bytes }, sum),
		two.row(over+"goroutines more than with one, both", "goroutines", 0, func(o opened) float64 { return float64(o.goroutines) }, sum),
		two.row(over+"threads, both", "threads", 0, func(o opened) float64 { return o.threads }, sum),
		two.row(over+"µs of CPU in a second of rest, the worse", "µs", mostWaiting, func(o opened) float64 { return o.cpu }, worse),
	}
	for _, r := range rows {
		if r.Why = s.ours; s.ours != "" {
			r.Ours = nil
		}
	}
	return rows
}
