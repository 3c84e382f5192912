//go:build unix

package netchan_test

import (
	"sync"
	"syscall"
	"time"

	"github.com/handoff-go/handoff/internal/badline"
)

// faultKind is one way for things to go wrong.
type faultKind struct {
	name   string
	resume time.Duration
	// strict: no process and no session ends, so nothing may be in doubt or come
	// again.
	strict bool
	// volatile: the home dies, and what is in slots with it. So there are none, and
	// a send that has ended was confirmed.
	volatile bool
	do       func(r *round)
}

// Sessions outlive a connection for long, or for less than a fault takes.
const (
	longResume  = 30 * time.Second
	shortResume = 300 * time.Millisecond
	// beyond is longer than any session lives on without a word: its heartbeats,
	// and the time of resume.
	beyond = shortResume + 8*campaignBeat + 300*time.Millisecond
)

// slots are those of the channels of a round.
func (k *faultKind) slots(seed uint64) int {
	if k.volatile {
		return 0
	}
	return []int{0, 1, 3, 16}[seed%4]
}

var faultKinds = []faultKind{
	{name: "cut at random bytes", resume: longResume, strict: true, do: cuts},
	{name: "half-open at the home", resume: longResume, strict: true, do: each(12, func(r *round, p *player) { p.line.CutHalf(badline.Up) })},
	{name: "half-open at the client", resume: longResume, strict: true, do: each(4, func(r *round, p *player) { p.line.CutHalf(badline.Down) })},
	{name: "partition of one way up", resume: longResume, strict: true, do: each(4, muted(8*campaignBeat, badline.Up))},
	{name: "partition of one way down", resume: longResume, strict: true, do: each(4, muted(8*campaignBeat, badline.Down))},
	{name: "delay and cuts", resume: longResume, strict: true, do: delays},
	{name: "flap", resume: longResume, strict: true, do: each(6, flap)},
	{name: "all redial at once", resume: longResume, strict: true, do: allRedial},
	{name: "old connection beside new", resume: longResume, strict: true, do: each(6, oldBesideNew)},
	{name: "home stopped", resume: longResume, strict: true, do: homeStopped(8 * campaignBeat)},
	{name: "client stopped", resume: longResume, strict: true, do: each(4, stopped(8*campaignBeat))},
	{name: "partition beyond resume", resume: shortResume, do: each(3, muted(beyond, badline.Up, badline.Down))},
	{name: "client stopped beyond its lease", resume: shortResume, do: each(3, stopped(beyond))},
	{name: "home stopped beyond resume", resume: shortResume, do: homeStopped(beyond)},
	{name: "sender killed", resume: shortResume, do: killed("sender", 4)},
	{name: "receiver killed", resume: shortResume, do: killed("receiver", 4)},
	{name: "taker killed", resume: shortResume, do: killed("taker", 4)},
	{name: "select sender killed", resume: shortResume, do: killed("select sender", 4)},
	{name: "select receiver killed", resume: shortResume, do: killed("select receiver", 4)},
	{name: "home killed and restarted", resume: longResume, volatile: true, do: homeKilled3},
}

// each does a fault so many times, to any actor.
func each(n int, fault func(*round, *player)) func(*round) {
	return func(r *round) {
		for range n {
			r.more(r.dice.IntN(40))
			r.faults++
			fault(r, r.any(""))
		}
	}
}

// for a while, and not to order anything.
func (r *round) linger(d time.Duration) { time.Sleep(d) }

func cuts(r *round) {
	var mu sync.Mutex // lines ask on goroutines of their own
	for _, p := range r.actors {
		p.line.Set(func(int) (int, int) {
			mu.Lock()
			defer mu.Unlock()
			return 150 + r.dice.IntN(4000), 150 + r.dice.IntN(4000)
		})
		p.line.Cut(false)
	}
	r.more(1500)
	mu.Lock()
	defer mu.Unlock()
	for _, p := range r.actors {
		n, _ := p.line.Figures()
		r.faults += n
	}
}

func delays(r *round) {
	for _, p := range r.actors {
		p.line.Delay(time.Duration(1+r.dice.IntN(10)) * time.Millisecond)
	}
	each(8, func(r *round, p *player) { p.line.Cut(false) })(r)
	r.faults += len(r.actors)
}

func muted(d time.Duration, ways ...badline.Direction) func(*round, *player) {
	return func(r *round, p *player) {
		for _, way := range ways {
			p.line.Mute(way, true)
		}
		r.linger(d)
		for _, way := range ways {
			p.line.Mute(way, false)
		}
	}
}

func flap(r *round, p *player) {
	for range 5 + r.dice.IntN(10) {
		p.line.Cut(true)
		r.linger(time.Duration(r.dice.IntN(5)) * time.Millisecond)
		p.line.Up(r.at)
		r.linger(time.Duration(r.dice.IntN(20)) * time.Millisecond)
	}
}

func allRedial(r *round) {
	for range 6 {
		r.more(r.dice.IntN(40))
		r.faults++
		for _, p := range r.actors {
			p.line.Cut(false)
		}
	}
}

// oldBesideNew has the client leave a connection on which much is still to come to
// the home, and come back on another at once.
func oldBesideNew(r *round, p *player) {
	p.line.Mute(badline.Up, true)
	r.linger(time.Duration(r.dice.IntN(10)) * time.Millisecond)
	p.line.CutHalf(badline.Up)
	p.line.Mute(badline.Up, false)
}

func stopped(d time.Duration) func(*round, *player) {
	return func(r *round, p *player) {
		p.cmd.Process.Signal(syscall.SIGSTOP)
		r.linger(d)
		p.cmd.Process.Signal(syscall.SIGCONT)
	}
}

func homeStopped(d time.Duration) func(*round) {
	return func(r *round) {
		for range 2 {
			r.more(r.dice.IntN(40))
			r.faults++
			stopped(d)(r, r.home)
			r.lively()
		}
	}
}

// killed kills actors of a role at any instant, and has others take their place.
func killed(role string, n int) func(*round) {
	return func(r *round) {
		for range n {
			r.more(r.dice.IntN(40))
			r.linger(time.Duration(r.dice.IntN(1000)) * time.Microsecond)
			r.faults++
			switch role {
			case "receiver":
				r.died.receivers++
			case "select receiver":
				r.died.selecting++
			}
			r.kill(r.any(role))
			r.startActor(role)
		}
	}
}

func homeKilled3(r *round) {
	for range 3 {
		r.more(r.dice.IntN(100))
		r.faults++
		r.kill(r.home)
		r.startHome()
		for _, p := range r.actors {
			p.line.Cut(false)
			p.line.Up(r.at)
		}
		r.lively()
	}
}
