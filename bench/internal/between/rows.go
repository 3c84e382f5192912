package between

import (
	"fmt"
	"slices"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// group is what the names of all groups of this package begin with.
const group = "net: "

// The goals.
const (
	goalTrip    = 1.35    // of the raw socket's time
	goalNATS    = 1.0 / 3 // of NATS core's
	goalAhead   = 1.0     // of libzmq's
	goalCallers = 1 / 0.8 // of the multiplexer's
	goalStuck   = 1.2     // of the same without the stuck one
	goalTLS     = 1.3     // of the same over TCP
	mostIdle    = 1000    // µs of CPU in a second, of one process
	// mostGoroutines is far below the number of channels, and above what comes and goes.
	mostGoroutines = 16
)

const (
	claimTrip    = "confirmed send of 64 B to a home across a socket"
	claimNATS    = "64 B one way over tcp, by 64: three times NATS core"
	claimAhead   = "64 B one way over tcp, by 64: ahead of libzmq"
	claimCallers = "64 senders of 64 B: 0.8 of a bare multiplexer"
	claimStuck   = "one stuck channel of 100: p99 of the others"
	claimMany    = "no goroutine of an idle channel"
	claimIdle    = "no CPU time of idle channels"
	claimTLS     = "tls: against tcp:"
)

// Claims returns what is claimed of these rows.
func Claims() []measure.Claim {
	var claims []measure.Claim
	for _, name := range append([]string{claimTrip, claimNATS, claimAhead, claimCallers, claimStuck, claimMany, claimIdle, claimTLS}, shmClaims()...) {
		claims = append(claims, measure.Claim{Name: name})
	}
	return claims
}

// All returns the rows, whose processes are f's. Nothing is started before it is
// measured.
func All(f *Fleet) []*measure.Shape {
	return slices.Concat(trips(f), streams(f), callers(f), rendezvous(f), selects(f), crowds(f), manies(f), secures(f), shms(f))
}

// runs is a contender, or the reason why it cannot run.
func (f *Fleet) runs(name, why string, start func(*Fleet) crew) measure.Contender {
	if why != "" {
		return measure.Contender{Name: name, Why: why}
	}
	return measure.Contender{Name: name, Body: f.body(start)}
}

// row has ours and its base first. Where the base cannot run, the first of the
// others is it and there is no goal.
func row(name, claim string, goal float64, ours measure.Body, rivals ...measure.Contender) *measure.Shape {
	s := &measure.Shape{Name: name, Claim: claim, Goal: goal, Ours: ours, Rivals: rivals}
	if first := slices.IndexFunc(rivals, func(c measure.Contender) bool { return c.Body != nil }); first > 0 {
		s.Goal, s.Claim = 0, ""
		s.Rivals = slices.Concat(rivals[first:first+1], rivals[:first], rivals[first+1:])
	}
	return s
}

func in(name string, long bool, shapes ...*measure.Shape) []*measure.Shape {
	for _, s := range shapes {
		s.Group, s.Long = group+name, long
	}
	return shapes
}

// pingPong is the floor of a round trip.
func pingPong(network, path string, long int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		echo := f.start("raw echo", network, orSocket(f, path), fmt.Sprint(long))
		return crew{asked: []*process{f.start("raw caller", echo.at, fmt.Sprint(long))}, others: []*process{echo}}
	}
}

// orSocket is path, or a fresh one for "".
func orSocket(f *Fleet, path string) string {
	if path == "" {
		return f.socket()
	}
	return path
}

// confirms is ours: the home is the peer.
func confirms(network, path string, long int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		at := f.start("home", network, orSocket(f, path))
		return crew{asked: []*process{f.start("confirmed", at.at, fmt.Sprint(long))}, others: []*process{at}}
	}
}

const rawName = "raw socket"

// trips are round trips of a send that is confirmed.
func trips(f *Fleet) (all []*measure.Shape) {
	for _, long := range []int{size, 1 << 10, 64 << 10, 1 << 20} {
		for _, network := range []string{unix, tcp} {
			name, goal, claim := fmt.Sprintf("%s, %s", bytesOf(long), network), goalTrip, claimTrip
			if long != size {
				goal, claim = 0, ""
			}
			ours, raw := confirms(network, "", long), pingPong(network, "", long)
			s := row(name, claim, goal, f.body(ours), f.runs(rawName, "", raw))
			all = append(all, in(tripGroup, long != size, s)...)
			if long == size {
				all = append(all, placed(f, name, ours, raw)...)
			}
		}
	}
	return all
}

const tripGroup = "round trip of a confirmed send"

// placed are round trips between processes that are kept where they are. To wake a
// core that sleeps may take longer than all the rest, and left alone the system
// has two processes that take turns on one core in some minutes, and on two in
// others: both figures of the row above may be of either kind.
func placed(f *Fleet, name string, ours, raw func(*Fleet) crew) (all []*measure.Shape) {
	why := lacksPins()
	for _, at := range []struct {
		name  string
		cores int
	}{{"on one core", 1}, {"a core each", 2}} {
		keep := func(start func(*Fleet) crew) func(*Fleet) crew {
			return func(f *Fleet) crew {
				c := start(f)
				for i, p := range c.all() {
					pin(p.pids[0], i%at.cores)
				}
				return c
			}
		}
		s := row(name+", "+at.name, claimTrip, goalTrip, nil, f.runs(rawName, why, keep(raw)), f.runs(rawName+", not kept", "", raw))
		if s.Why = why; why == "" {
			s.Ours = f.body(keep(ours))
		}
		all = append(all, s)
	}
	return in(tripGroup, true, all...)
}

func bytesOf(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// Slots of the channels of streams.
const streamSlots = 4096

// streamed is ours with the home in the receiver's process.
func streamed(network, path string, slots, many int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		k, m := fmt.Sprint(slots), fmt.Sprint(many)
		sink := f.start("home and", network, orSocket(f, path), "sink", k, m)
		return crew{asked: []*process{sink, f.start("source", sink.at, k, m)}}
	}
}

// apart is ours with the home in a third process.
func apart(network string, slots, many int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		k, m := fmt.Sprint(slots), fmt.Sprint(many)
		at := f.start("home", network, f.socket())
		sink := f.start("sink", at.at, k, m)
		return crew{asked: []*process{sink, f.start("source", at.at, k, m)}, others: []*process{at}}
	}
}

// concurrent is streamed from several goroutines, so that there is a batch under way
// while others wait for their answer.
func concurrent(network string, slots, goroutines int) func(*Fleet) crew {
	return func(f *Fleet) crew {
		k := fmt.Sprint(slots)
		sink := f.start("home and", network, f.socket(), "gatherer", k)
		return crew{asked: []*process{sink, f.start("sources", sink.at, k, fmt.Sprint(goroutines))}}
	}
}

// rawAnswered are batches on a bare socket, of which each is answered.
func rawAnswered(f *Fleet) crew {
	echo := f.start("raw echo", tcp, "", fmt.Sprint(batch*size))
	return crew{asked: []*process{f.start("raw answered source", echo.at)}, others: []*process{echo}}
}

// direct is a rival of two processes, the second of which is told where the first is.
func direct(name string, args ...string) func(*Fleet) crew {
	return func(f *Fleet) crew {
		sink := f.start(name+" sink", args...)
		return crew{asked: []*process{sink, f.start(name+" source", sink.at)}}
	}
}

// through is a rival with a server between.
func through(server, name string) func(*Fleet) crew {
	return func(f *Fleet) crew {
		s := f.start(server)
		sink := f.start(name+" sink", s.at) // first: it is there when something is sent
		return crew{asked: []*process{sink, f.start(name+" source", s.at)}, others: []*process{s}}
	}
}

// streams are messages one way, in one channel from one sender to one receiver.
func streams(f *Fleet) []*measure.Shape {
	ours := f.body(streamed(tcp, "", streamSlots, batch))
	nats := f.runs("NATS core", "", through("nats server", "nats"))
	zmq := f.runs("libzmq", lacksLibrary("zmq.h", "libzmq3-dev"), inC("zmq", "zmq"))
	raw := f.runs(rawName+", 32 KiB batches", "", direct("raw", tcp, ""))
	answered := f.runs(rawName+", by 64, each answered", "", rawAnswered)
	several := f.runs("ours, four goroutines by 64", "", concurrent(tcp, streamSlots, 4))
	against := row("64 B over tcp, by 64, against NATS core", claimNATS, goalNATS, ours, nats, zmq, answered, several, raw)
	ahead := row("64 B over tcp, by 64, against libzmq", claimAhead, goalAhead, ours, zmq, answered, several, raw)
	others := row("64 B over tcp, by 64, and others", "", 0, ours, raw,
		f.runs("ours, home in a third process", "", apart(tcp, streamSlots, batch)),
		f.runs("ours, by 1,024", "", streamed(tcp, "", streamSlots, 1024)),
		f.runs("ours, by 1", "", streamed(tcp, "", streamSlots, 1)),
		f.runs("gRPC stream", "", direct("grpc")),
		f.runs("nng", lacksLibrary("nng/nng.h", "libnng-dev"), inC("nng", "nng")),
		f.runs("mangos", "", direct("mangos")),
		f.runs("Erlang", lacksProgram("escript", "erlang-base"), erlangs),
		f.runs("Redis, pipelines of 64", lacksProgram("redis-server", "redis-server"), through("redis server", "redis")),
		f.runs("NATS JetStream", "", through("nats server", "jetstream")))
	others.AtMost = 20000 // some are much slower than the socket
	return slices.Concat(in("one way", false, against, ahead), in("one way", true, others))
}

// manyCallers is how many senders share a connection.
const manyCallers = "64"

// callers are many senders that wait for the confirmation of each value.
func callers(f *Fleet) []*measure.Shape {
	one := func(network string) *measure.Shape {
		ours := f.body(func(f *Fleet) crew {
			at := f.start("home", network, f.socket())
			return crew{asked: []*process{f.start("senders", at.at, manyCallers)}, others: []*process{at}}
		})
		bare := f.runs("bare multiplexer", "", func(f *Fleet) crew {
			sink := f.start("mux sink", network, f.socket())
			return crew{asked: []*process{f.start("mux callers", sink.at, manyCallers)}, others: []*process{sink}}
		})
		return row("64 senders of 64 B over "+network, claimCallers, goalCallers, ours, bare,
			f.runs(rawName+", 32 KiB batches, nothing acknowledged", "", func(f *Fleet) crew {
				return direct("raw", network, f.socket())(f)
			}))
	}
	return slices.Concat(in("many senders", false, one(tcp)), in("many senders", true, one(unix)))
}

// rendezvous are channels without slots.
func rendezvous(f *Fleet) []*measure.Shape {
	near := row("plain, home with the receiver", "", 0, f.body(streamed(tcp, "", 0, 1)),
		f.runs(rawName+", there and back", "", pingPong(tcp, "", size)))
	far := row("plain, home in a third process", "", 0, f.body(apart(tcp, 0, 1)),
		f.runs(rawName+" through a third process, there and back", "", func(f *Fleet) crew {
			echo := f.start("raw echo", tcp, "", fmt.Sprint(size))
			relay := f.start("raw relay", tcp, "", echo.at)
			return crew{asked: []*process{f.start("raw caller", relay.at, fmt.Sprint(size))}, others: []*process{echo, relay}}
		}))
	return in("rendezvous over tcp", true, near, far)
}

// selectors are mirrored selects, with the home in a third process or with one of
// them. Two channels have one home here; a ring of three homes, each with a process
// of the ring, goes beside them once a select may span homes.
func selectors(near bool) func(*Fleet) crew {
	return func(f *Fleet) crew {
		if near {
			left := f.start("home and", tcp, f.socket(), "selector", "left")
			return crew{asked: []*process{left, f.start("selector", left.at, "right")}}
		}
		at := f.start("home", tcp, f.socket())
		return crew{asked: []*process{f.start("selector", at.at, "left"), f.start("selector", at.at, "right")}, others: []*process{at}}
	}
}

// selects are commits of two selects that meet.
func selects(f *Fleet) []*measure.Shape {
	const plain = "plain send and receive"
	far := row("select, home in a third process", "", 0, f.body(selectors(false)), f.runs(plain, "", apart(tcp, 0, 1)))
	near := row("select, home with one party", "", 0, f.body(selectors(true)), f.runs(plain, "", streamed(tcp, "", 0, 1)))
	frames := row("frames of a select's commit, home in a third process, both clients", "", 0, f.frames("selector", []string{"left"}, "selector", []string{"right"}),
		measure.Contender{Name: plain, Body: f.frames("sink", []string{"0", "1"}, "source", []string{"0", "1"})})
	frames.Unit, frames.N, frames.Rounds = "frames", 2000, 3
	return in("rendezvous over tcp", true, far, near, frames)
}

// frames counts what two clients and a home say to each other in each operation.
func (f *Fleet) frames(one string, oneArgs []string, other string, otherArgs []string) measure.Body {
	var count *process
	asked := f.body(func(f *Fleet) crew {
		at := f.start("home", tcp, f.socket())
		count = f.start("counter", hostOf(at.at))
		url := fmt.Sprintf("tcp://%s/%%s", count.at)
		start := func(role string, args []string) *process { return f.start(role, append([]string{url}, args...)...) }
		return crew{asked: []*process{start(one, oneArgs), start(other, otherArgs)}, others: []*process{at, count}}
	})
	return func() func(int) measure.Sample {
		work := asked()
		return func(n int) measure.Sample {
			before := count.ask(0)[0]
			work(n)
			return measure.Sample{Elapsed: count.ask(0)[0] - before, Elsewhere: true}
		}
	}
}

// crowds are channels beside one that is stuck.
func crowds(f *Fleet) []*measure.Shape {
	beside := func(how string) func(*Fleet) crew {
		return func(f *Fleet) crew {
			sink := f.start("home and", tcp, f.socket(), "crowd sink")
			return crew{asked: []*process{f.start("crowd", sink.at, how)}, others: []*process{sink}}
		}
	}
	s := row("99 channels beside a stuck one, p99 of a send in ns", claimStuck, goalStuck,
		f.body(beside("stuck")), f.runs("without the stuck one", "", beside("free")))
	s.Unit, s.N = "ns", 1
	return in("head of line", true, s)
}

// manyChannels is how many; a test opens fewer.
var manyChannels = 10000

// manies are many channels that nobody uses.
func manies(f *Fleet) []*measure.Shape {
	rows := openRows(f, manyChannels)
	rows[1].Claim, rows[2].Claim = claimMany, claimIdle
	return rows
}

// secures compare TLS with TCP.
func secures(f *Fleet) []*measure.Shape {
	why := lacksScheme(tls)
	secret := func(f *Fleet) string {
		path := f.socket()
		makeSecret(path)
		return path
	}
	one := func(name string, ours func(network, path string) func(*Fleet) crew, raw func(network, path string) func(*Fleet) crew) *measure.Shape {
		over := func(what func(network, path string) func(*Fleet) crew) func(*Fleet) crew {
			return func(f *Fleet) crew { return what(tls, secret(f))(f) }
		}
		s := row(name, claimTLS, goalTLS, nil, f.runs("ours over tcp", "", ours(tcp, "")),
			f.runs(rawName+" over TLS", "", over(raw)), f.runs(rawName, "", raw(tcp, "")))
		if s.Why = why; why == "" {
			s.Ours = f.body(over(ours))
		}
		return s
	}
	trip := func(long int) *measure.Shape {
		return one(bytesOf(long)+", round trip of a confirmed send",
			func(network, path string) func(*Fleet) crew { return confirms(network, path, long) },
			func(network, path string) func(*Fleet) crew { return pingPong(network, path, long) })
	}
	stream := one("64 B one way, by 64",
		func(network, path string) func(*Fleet) crew { return streamed(network, path, streamSlots, batch) },
		func(network, path string) func(*Fleet) crew { return direct("raw", network, path) })
	return in("TLS", true, trip(size), trip(64<<10), stream)
}
