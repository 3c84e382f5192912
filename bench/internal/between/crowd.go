package between

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

func init() {
	roles["crowd"] = crowd
	roles["crowd sink"] = crowdSink
	roles["many"] = many
}

// A crowd is 99 channels on which values move, and another, which may be stuck.
const (
	crowdSize  = 99
	crowdSlots = 16
	crowdSends = 200 // of each channel in a sample
	stuckValue = 64 << 10
	stuckSends = 128 // 8 MiB that wait, twice of what a home holds for one attachment
)

func crowdChan(url string, i int) handoff.Chan[message] {
	return open[message](url, fmt.Sprintf("crowd%d", i), handoff.Slots(crowdSlots))
}

// crowdSink takes a URL and receives from the crowd, but not from the one more.
func crowdSink(args []string) part {
	for i := range crowdSize {
		ch := crowdChan(args[0], i)
		go func() { // until the process ends
			var came number
			for v, err := range ch.All(context.Background()) {
				must(err)
				came.see(v[:])
			}
		}()
	}
	return part{}
}

// crowd takes a URL, and whether the one more is stuck: all its slots are full, and
// somebody has much more to send. It answers with the 99th percentile of the sends
// of the others, all of which run at the same time.
func crowd(args []string) part {
	chans := make([]handoff.Chan[message], crowdSize)
	sent := make([]number, crowdSize)
	for i := range chans {
		chans[i] = crowdChan(args[0], i)
	}
	if args[1] == "stuck" {
		stick(args[0])
	}
	return part{work: func(int) measure.Sample {
		each := make([][]time.Duration, crowdSize)
		workers := make([]func(), crowdSize)
		for i, ch := range chans {
			workers[i] = func() {
				var m message
				each[i] = alone(crowdSends, func() {
					sent[i].write(m[:])
					must(ch.Send(context.Background(), m))
				}).Each
			}
		}
		measure.Together(workers...)
		var all []time.Duration
		for _, some := range each {
			all = append(all, some...)
		}
		return measure.Sample{Elapsed: time.Duration(measure.Quantiles(all, 0.99)[0])}
	}}
}

// stick fills a channel that nobody receives from, and leaves senders waiting.
func stick(url string) {
	ch := open[[]byte](url, "stuck", handoff.Slots(crowdSlots), handoff.MaxValue(stuckValue))
	value := bytes.Repeat([]byte("x"), stuckValue)
	for range crowdSlots {
		must(ch.Send(context.Background(), value))
	}
	for range stuckSends {
		go func() { // until the process ends
			must(ch.Send(context.Background(), value))
		}()
	}
	// A try comes back when what was sent before it has arrived, and says that the
	// channel is full.
	ok, err := ch.TrySend(value)
	must(err)
	check(!ok, "the stuck channel took a value")
}

// many takes a URL and opens as many channels as it is asked for, which it keeps.
func many(args []string) part {
	var all []handoff.Chan[message]
	return part{work: func(n int) measure.Sample {
		for range n {
			all = append(all, open[message](args[0], fmt.Sprintf("many%d", len(all)), handoff.Slots(1)))
		}
		return done()
	}}
}

// opened is what a process has of open channels.
type opened struct {
	bytes      float64 // of one
	goroutines int     // more than with one channel
	threads    float64 // where that is known
	cpu        float64 // µs in a second in which nothing moves
}

// restTime is how long nothing moves; a test has less time.
var restTime = 10 * time.Second

// openMany opens n channels over one connection and returns what it costs the
// client and the home.
func openMany(f *Fleet, n int) (client, server opened) {
	at := f.start("home", tcp, f.socket())
	from := f.start("many", at.at)
	from.ask(1)
	processes, results := []*process{from, at}, []*opened{&client, &server}
	before := make([][]time.Duration, len(processes))
	for i, p := range processes {
		before[i] = p.request(figuresOf)
	}
	from.ask(n)
	for i, p := range processes {
		after := p.request(figuresOf)
		results[i].bytes = float64(after[0]-before[i][0]) / float64(n)
		results[i].goroutines = int(after[1] - before[i][1])
	}
	var cpu []time.Duration
	for _, p := range processes {
		cpu = append(cpu, crew{others: []*process{p}}.cpu())
	}
	time.Sleep(restTime)
	for i, p := range processes {
		took := crew{others: []*process{p}}.cpu() - cpu[i]
		results[i].cpu = float64(took.Microseconds()) / restTime.Seconds()
	}
	return client, server
}

// openRows are what open channels cost. It is measured once for all of them.
func openRows(f *Fleet, n int) []*measure.Shape {
	two := sides{group + "open channels", [2]string{"the client's side", "the home's side"}, sync.OnceValue(func() (both [2]opened) {
		both[0], both[1] = openMany(f, n)
		return both
	})}
	over := fmt.Sprintf("%d channels open over one connection, ", n)
	return []*measure.Shape{
		two.row(over+"bytes of each, both sides", "B", 0, func(o opened) float64 { return o.bytes }, sum),
		two.row(over+"goroutines more than with one, both sides", "goroutines", mostGoroutines, func(o opened) float64 { return float64(o.goroutines) }, sum),
		two.row(over+"µs of CPU in a second of rest, the worse side", "µs", mostIdle, func(o opened) float64 { return o.cpu }, worse),
	}
}

// sides are two processes, what they are called, and what each has of open channels.
type sides struct {
	group string
	names [2]string
	have  func() [2]opened
}

// row is one figure of each side, and of both.
func (s sides) row(name, unit string, most float64, of func(opened) float64, all func(one, other float64) float64) *measure.Shape {
	amount := func(of func([2]opened) float64) measure.Body {
		return func() func(int) measure.Sample {
			return func(int) measure.Sample {
				return measure.Sample{Elapsed: time.Duration(of(s.have())), Elsewhere: true}
			}
		}
	}
	return &measure.Shape{
		Group: s.group, Name: name, Unit: unit, Most: most, N: 1, Rounds: 1, Long: true,
		Ours: amount(func(b [2]opened) float64 { return all(of(b[0]), of(b[1])) }),
		Rivals: []measure.Contender{
			{Name: s.names[0], Body: amount(func(b [2]opened) float64 { return of(b[0]) })},
			{Name: s.names[1], Body: amount(func(b [2]opened) float64 { return of(b[1]) })},
		},
	}
}

func sum(one, other float64) float64   { return one + other }
func worse(one, other float64) float64 { return max(one, other) }
