package drivertest

import (
	"sync"
)

// programLaws are whole programs in the manner of those that test Go's own
// channels: they fail to end, or end with a wrong answer, when a rule is broken
// that no shorter law names.
var programLaws = []Law{
	{
		Name:   "L1/program-chain-of-goroutines",
		Says:   "a token passes through ten thousand goroutines in a row, each of which receives once and sends once",
		Source: "chan/goroutines.go",
		Storm:  true,
		Run:    lawChain,
	}, {
		Name:   "L1/program-prime-sieve",
		Says:   "a chain of filters, one goroutine and one channel each, finds the primes",
		Source: "chan/sieve1.go",
		Storm:  true,
		Ends:   true,
		Run:    func(e *Env) { sieve(e, 0) },
	}, {
		Name:   "L1/program-prime-sieve-with-slots",
		Says:   "the chain of filters finds the primes when its channels have slots, and ends by cancel",
		Source: "chan/sieve2.go",
		Storm:  true,
		Ends:   true,
		Run:    func(e *Env) { sieve(e, 3) },
	}, {
		Name:   "L1/program-power-series",
		Says:   "streams that compute only on demand, split and multiplied through selects, yield the coefficients of 1/(1-x)^3",
		Source: "chan/powser1.go",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Ends:   true,
		Run:    lawPowerSeries,
	}, {
		Name:   "L1/program-many-talkers",
		Says:   "each value of a hundred senders is seen once and in its sender's order by receivers that share one channel",
		Source: "ken/chan1.go, ken/chan.go",
		Storm:  true,
		Run:    lawManyTalkers,
	}, {
		Name:   "L1/program-select-scheduler",
		Says:   "one goroutine that selects over all channels of a program sees every value of each in order",
		Source: "ken/chan.go, chan/perm.go",
		Needs:  []Feature{FeatureSelect},
		Storm:  true,
		Run:    lawSelectScheduler,
	},
}

// few returns a small number of slots the subject can have.
func (e *Env) few(slots int) int {
	if slots == 0 && !e.H.Has[FeatureRendezvous] {
		return 1
	}
	return slots
}

func lawChain(e *Env) {
	n := 10_000
	if raceEnabled { // the detector knows some eight thousand goroutines
		n = 2_000
	}
	n = min(n, e.Scale(80_000))
	first := e.Chan(e.few(0))
	left := first
	var wg sync.WaitGroup
	for range n {
		right := e.Chan(e.few(0))
		from := left
		wg.Add(1)
		go func() {
			defer wg.Done()
			v, err := from.Recv(e.Ctx)
			if err == nil {
				err = right.Send(e.Ctx, v+1)
			}
			if err != nil {
				e.Errorf("link: %v", err)
			}
		}()
		left = right
	}
	e.OK("Send", first.Send(e.Ctx, 0))
	v, err := left.Recv(e.Ctx)
	e.OK("Recv", err)
	if v != n {
		e.Fatalf("the token passed %d of %d", v, n)
	}
	e.join(&wg)
}

func sieve(e *Env, slots int) {
	primes := []int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97}
	var wg sync.WaitGroup
	spawn := func(f func()) {
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	numbers := e.Chan(e.few(slots))
	spawn(func() {
		for i := 2; numbers.Send(e.Ctx, i) == nil; i++ {
		}
	})
	source := numbers
	for i, want := range primes {
		prime, err := source.Recv(e.Ctx)
		e.OK("Recv", err)
		if prime != want {
			e.Fatalf("prime number %d is %d, want %d", i, prime, want)
		}
		from, to := source, e.Chan(e.few(slots))
		spawn(func() {
			for v, err := range from.All(e.Ctx) {
				if err != nil || v%prime != 0 && to.Send(e.Ctx, v) != nil {
					return
				}
			}
		})
		source = to
	}
	e.cancel() // all the filters are waiting for ever
	e.join(&wg)
}

// stream is a power series whose coefficients are computed when asked for.
type stream struct{ ask, coefficient Chan[int] }

type series struct {
	e  *Env
	wg sync.WaitGroup
}

func (s *series) stream() stream {
	return stream{s.e.Chan(s.e.few(0)), s.e.Chan(s.e.few(0))}
}

func (s *series) spawn(f func()) {
	s.wg.Add(1)
	go func() { defer s.wg.Done(); f() }()
}

// get asks for the next coefficient; ok is false when the law is over.
func (s *series) get(from stream) (v int, ok bool) {
	if from.ask.Send(s.e.Ctx, 0) != nil {
		return 0, false
	}
	v, err := from.coefficient.Recv(s.e.Ctx)
	return v, err == nil
}

// serve makes the stream whose coefficients next computes.
func (s *series) serve(next func() (int, bool)) stream {
	out := s.stream()
	s.spawn(func() {
		for {
			if _, err := out.ask.Recv(s.e.Ctx); err != nil {
				return
			}
			v, ok := next()
			if !ok || out.coefficient.Send(s.e.Ctx, v) != nil {
				return
			}
		}
	})
	return out
}

// split makes two streams of one: a coefficient is fetched when the first of
// the two asks, and kept for the other.
func (s *series) split(in stream) (stream, stream) {
	outs := [2]stream{s.stream(), s.stream()}
	s.spawn(func() {
		var queue []int // coefficients one has seen and the other has not
		ahead := 0      // who has seen more
		for {
			who, err := s.e.Select(s.e.Ctx, outs[0].ask.OnRecv(nil), outs[1].ask.OnRecv(nil))
			if err != nil {
				return
			}
			var v int
			if who != ahead && len(queue) > 0 {
				v, queue = queue[0], queue[1:]
			} else {
				var ok bool
				if v, ok = s.get(in); !ok {
					return
				}
				ahead, queue = who, append(queue, v)
			}
			if outs[who].coefficient.Send(s.e.Ctx, v) != nil {
				return
			}
		}
	})
	return outs[0], outs[1]
}

// times multiplies: the n-th coefficient is the convolution of all before it.
func (s *series) times(a, b stream) stream {
	var as, bs []int
	return s.serve(func() (int, bool) {
		x, ok1 := s.get(a)
		y, ok2 := s.get(b)
		if !ok1 || !ok2 {
			return 0, false
		}
		as, bs = append(as, x), append(bs, y)
		sum := 0
		for i := range as {
			sum += as[i] * bs[len(bs)-1-i]
		}
		return sum, true
	})
}

func lawPowerSeries(e *Env) {
	s := &series{e: e}
	ones := s.serve(func() (int, bool) { return 1, true }) // 1/(1-x)
	a, rest := s.split(ones)
	b, c := s.split(rest)
	cube := s.times(s.times(a, b), c)
	for n := range min(60, e.Scale(400)) {
		got, ok := s.get(cube)
		if want := (n + 1) * (n + 2) / 2; !ok || got != want {
			e.Fatalf("coefficient %d is %d (%v), want %d", n, got, ok, want)
		}
	}
	e.cancel()
	e.join(&s.wg)
}

func lawManyTalkers(e *Env) {
	const talkers = 100
	per := e.Scale(400)
	ch := e.Chan(e.few(0))
	seen := make(tally, talkers*per)
	e.Together(talkers+4, func(who int) {
		if who < talkers {
			for i := range per {
				if err := ch.Send(e.Ctx, who*per+i); err != nil {
					e.Errorf("Send: %v", err)
					return
				}
			}
			return
		}
		var last [talkers]int
		for range talkers * per / 4 {
			v, err := ch.Recv(e.Ctx)
			if err != nil {
				e.Errorf("Recv: %v", err)
				return
			}
			seen.add(e, v)
			if n := v%per + 1; n <= last[v/per] {
				e.Errorf("talker %d: value %d received after %d by one receiver", v/per, n, last[v/per])
			} else {
				last[v/per] = n
			}
		}
	})
	seen.complete(e)
}

func lawSelectScheduler(e *Env) {
	const channels = 10
	per := e.Scale(1000)
	chs := make([]Chan[int], channels)
	for i := range chs {
		chs[i] = e.Chan(e.few(i % 3))
	}
	e.Together(channels+1, func(who int) {
		if who < channels {
			for i := range per {
				if err := chs[who].Send(e.Ctx, i); err != nil {
					e.Errorf("Send: %v", err)
					return
				}
			}
			e.OK("Close", chs[who].Close())
			return
		}
		next := make([]int, channels)
		open := make([]Chan[int], channels)
		copy(open, chs)
		for left := channels; left > 0; {
			var cases []Case
			for c := range open {
				if open[c] == nil {
					cases = append(cases, e.H.Nil().OnRecv(nil))
					continue
				}
				cases = append(cases, open[c].OnRecv(func(v int, ok bool) {
					if !ok {
						left--
						open[c] = nil
						return
					}
					if v != next[c] {
						e.Errorf("channel %d: received %d, want %d", c, v, next[c])
					}
					next[c] = v + 1
				}))
			}
			if _, err := e.Select(e.Ctx, cases...); err != nil {
				e.Errorf("Select: %v", err)
				return
			}
		}
		for c, n := range next {
			if n != per {
				e.Errorf("channel %d: closed after %d of %d", c, n, per)
			}
		}
	})
}
