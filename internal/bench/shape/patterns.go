package shape

import (
	"context"
	"fmt"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

// patternGroup is the benchmarks of crossbeam-channel, the shapes written anew.
const patternGroup = "crossbeam's patterns, 4 threads, per message"

// PatternThreads is how many senders, receivers or both a pattern has.
const PatternThreads = 4

// AllSlots is as many slots as there are messages, so that no sender waits.
const AllSlots = -1

// Pattern is one of the patterns of crossbeam-channel's benchmarks.
type Pattern struct {
	// Name is seq: all messages are sent, then all received, by one thread;
	// spsc, mpsc, mpmc: one or several senders and receivers of one channel;
	// select_rx: one receiver of as many channels as there are senders;
	// select_both: senders and receivers choose among as many channels.
	Name  string
	Slots int
}

// String is what the tables say.
func (p Pattern) String() string {
	if p.Slots == AllSlots {
		return p.Name + ", a slot for every message"
	}
	return fmt.Sprintf("%s, cap %d", p.Name, p.Slots)
}

// slots is how many there are for n messages.
func (p Pattern) slots(n int) int {
	if p.Slots == AllSlots {
		return n
	}
	return p.Slots
}

// allPatterns are the patterns and capacities there are. One thread alone can
// only send what there are slots for.
func allPatterns() []Pattern {
	all := []Pattern{{"seq", AllSlots}}
	for _, name := range []string{"spsc", "mpsc", "mpmc", "select_rx", "select_both"} {
		for _, k := range []int{0, 1, AllSlots} {
			all = append(all, Pattern{name, k})
		}
	}
	return all
}

// PatternOf says which pattern s is, if it is one.
func PatternOf(s *measure.Shape) (Pattern, bool) {
	for _, p := range allPatterns() {
		if s.Group == patternGroup && s.Name == p.String() {
			return p, true
		}
	}
	return Pattern{}, false
}

func patterns() []*measure.Shape {
	var all []*measure.Shape
	for _, p := range allPatterns() {
		s := against(patternGroup, p.String(), 0, p.ours(), p.gos())
		// Threads of the system that wait for each other take their time.
		if p.Slots != AllSlots {
			s.Long, s.AtMost = p.Name != "spsc", 50_000
		}
		all = append(all, s)
	}
	return all
}

// crowd is how many send to one channel and how many receive from it.
func (p Pattern) crowd() (senders, receivers int) {
	switch p.Name {
	case "spsc":
		return 1, 1
	case "mpsc":
		return PatternThreads, 1
	}
	return PatternThreads, PatternThreads
}

func (p Pattern) ours() measure.Body {
	senders, receivers := p.crowd()
	work := func(n int) measure.Sample { return crowdOurs(senders, receivers, p.slots(n))()(n) }
	switch p.Name {
	case "seq":
		work = func(n int) measure.Sample {
			ch := handoff.Make[int](n)
			return measure.Alone(func() {
				sendOurs(ch.Sender, n)
				recvOurs(ch.Receiver, n)
			})
		}
	case "select_rx":
		work = func(n int) measure.Sample { return selectRxOurs(n, p.slots(n)) }
	case "select_both":
		work = func(n int) measure.Sample { return selectBothOurs(n, p.slots(n)) }
	}
	return func() func(int) measure.Sample { return work }
}

func (p Pattern) gos() measure.Body {
	senders, receivers := p.crowd()
	work := func(n int) measure.Sample { return crowdGo(senders, receivers, p.slots(n))()(n) }
	switch p.Name {
	case "seq":
		work = func(n int) measure.Sample {
			ch := make(chan int, n)
			return measure.Alone(func() {
				sendGo(ch, n)
				recvGo(ch, n)
			})
		}
	case "select_rx":
		work = func(n int) measure.Sample { return selectRxGo(n, p.slots(n)) }
	case "select_both":
		work = func(n int) measure.Sample { return selectBothGo(n, p.slots(n)) }
	}
	return func() func(int) measure.Sample { return work }
}

// fourOurs are the channels of a pattern with a select, and fourGo the
// language's.
func fourOurs(slots int) (chs [PatternThreads]handoff.Chan[int]) {
	for i := range chs {
		chs[i] = handoff.Make[int](slots)
	}
	return chs
}

func fourGo(slots int) (chs [PatternThreads]chan int) {
	for i := range chs {
		chs[i] = make(chan int, slots)
	}
	return chs
}

func selectRxOurs(n, slots int) measure.Sample {
	chs := fourOurs(slots)
	workers := []func(){anyRecvOurs(chs, n)}
	for i, ch := range chs {
		workers = append(workers, func() { sendOurs(ch.Sender, measure.Share(n, PatternThreads, i)) })
	}
	return measure.Together(workers...)
}

func selectRxGo(n, slots int) measure.Sample {
	chs := fourGo(slots)
	workers := []func(){func() { anyRecvGo(chs, n) }}
	for i, ch := range chs {
		workers = append(workers, func() { sendGo(ch, measure.Share(n, PatternThreads, i)) })
	}
	return measure.Together(workers...)
}

func selectBothOurs(n, slots int) measure.Sample {
	chs := fourOurs(slots)
	var workers []func()
	for i := range PatternThreads {
		share := measure.Share(n, PatternThreads, i)
		workers = append(workers, anySendOurs(chs, share), anyRecvOurs(chs, share))
	}
	return measure.Together(workers...)
}

func selectBothGo(n, slots int) measure.Sample {
	chs := fourGo(slots)
	var workers []func()
	for i := range PatternThreads {
		share := measure.Share(n, PatternThreads, i)
		workers = append(workers, func() { anySendGo(chs, share) }, func() { anyRecvGo(chs, share) })
	}
	return measure.Together(workers...)
}

// anyRecvOurs makes a select and returns what takes n turns with it.
func anyRecvOurs(chs [PatternThreads]handoff.Chan[int], n int) func() {
	var cases []handoff.Case
	for _, ch := range chs {
		cases = append(cases, ch.OnRecv(nil))
	}
	return selectTimes(n, cases)
}

func anySendOurs(chs [PatternThreads]handoff.Chan[int], n int) func() {
	var cases []handoff.Case
	for _, ch := range chs {
		cases = append(cases, ch.OnSend(n, nil))
	}
	return selectTimes(n, cases)
}

func selectTimes(n int, cases []handoff.Case) func() {
	ctx, s := context.Background(), handoff.NewSelector(cases...)
	return func() {
		for range n {
			_, err := s.Select(ctx)
			must(err)
		}
	}
}

func anyRecvGo(chs [PatternThreads]chan int, n int) {
	a, b, c, d := chs[0], chs[1], chs[2], chs[3]
	for range n {
		select {
		case <-a:
		case <-b:
		case <-c:
		case <-d:
		}
	}
}

func anySendGo(chs [PatternThreads]chan int, n int) {
	a, b, c, d := chs[0], chs[1], chs[2], chs[3]
	for range n {
		select {
		case a <- n:
		case b <- n:
		case c <- n:
		case d <- n:
		}
	}
}
