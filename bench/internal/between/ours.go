package between

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/bench/measure"
	_ "github.com/handoff-go/handoff/netchan" // the schemes
)

func init() {
	roles["home"] = home
	roles["home and"] = homeAnd
	roles["confirmed"] = confirmed
	roles["senders"] = senders
	roles["source"] = source
	roles["sink"] = sink
	roles["sources"] = sources
	roles["gatherer"] = gatherer
}

// serve makes this process a home that is reached by network, and returns URLs with
// %s for the name of a channel: for others, and for this process itself.
func serve(network, path string) (url, own string) {
	h := hub.New(hub.Options{})
	listen := func(network, path string) (url string) {
		var l net.Listener
		var err error
		switch network {
		case unix:
			url = "unix:" + path + "?chan=%s"
			l, err = hub.ListenUnix(path)
		case tcp:
			l, err = hub.ListenTCP("127.0.0.1:0")
		case tls:
			if l, err = hub.ListenTCP("127.0.0.1:0"); err == nil {
				l = secureListener(l, path)
			}
		}
		must(err)
		switch network {
		case tcp:
			url = fmt.Sprintf("tcp://%s/%%s", l.Addr())
		case tls:
			url = fmt.Sprintf("tls://%s/%%s%s", l.Addr(), secureQuery(path))
		}
		go func() { must(h.Serve(l)) }() // until the process ends
		return url
	}
	return listen(network, path), h.URL("") + "%s"
}

// home takes network and path.
func home(args []string) part {
	url, _ := serve(args[0], args[1])
	return part{at: url}
}

// homeAnd takes network, path, and another role with its arguments but the URL, which
// this process plays at its own home, which needs no socket.
func homeAnd(args []string) part {
	url, own := serve(args[0], args[1])
	p := roles[args[2]](append([]string{own}, args[3:]...))
	p.at = url
	return p
}

func open[T any](url, name string, opts ...handoff.Option) handoff.Chan[T] {
	ch, err := handoff.Open[T](context.Background(), fmt.Sprintf(url, name), opts...)
	must(err)
	return ch
}

// received checks n values that have been sent before.
func received[T any](ch handoff.Chan[T], n int, see func(T)) {
	buf := make([]T, batch)
	for n > 0 {
		k, err := ch.RecvInto(context.Background(), buf[:min(n, batch)])
		must(err)
		for _, v := range buf[:k] {
			see(v)
		}
		n -= k
	}
}

// held is how many bytes of values may lie in the slots of a home at once.
const held = 64 << 20

// confirmed takes a URL and a size. It times sends into slots, one after the other,
// and then receives the values, which is not timed.
func confirmed(args []string) part {
	long := count(args[1])
	slots := min(4096, held/long)
	ch := open[[]byte](args[0], "confirmed", handoff.Slots(slots), handoff.MaxValue(max(long, 4096)))
	m, ctx := make([]byte, long), context.Background()
	var sent, came number
	return part{work: func(n int) (sum measure.Sample) {
		for n > 0 {
			k := min(n, slots)
			s := alone(k, func() {
				sent.write(m)
				must(ch.Send(ctx, m))
			})
			received(ch, k, came.see)
			sum.Elapsed += s.Elapsed
			sum.Each = append(sum.Each, s.Each...)
			n -= k
		}
		return sum
	}}
}

// senders takes a URL and how many goroutines send, one value at a time, into one
// channel. It has slots for all, and the values are received afterwards.
func senders(args []string) part {
	const slots = 1 << 18
	ch := open[message](args[0], "senders", handoff.Slots(slots))
	workers := make([]func(n int), count(args[1]))
	for i := range workers {
		workers[i] = func(n int) {
			ctx := context.Background()
			for range n {
				must(ch.Send(ctx, message{}))
			}
		}
	}
	return part{work: func(n int) (sum measure.Sample) {
		for n > 0 {
			k := min(n, slots)
			sum.Elapsed += together(k, workers).Elapsed
			received(ch, k, func(message) {})
			n -= k
		}
		return sum
	}}
}

// source takes a URL, slots, and how many values to send at once.
func source(args []string) part {
	ch, many := open[message](args[0], "stream", handoff.Slots(count(args[1]))), count(args[2])
	values, ctx := make([]message, many), context.Background()
	var sent number
	return part{end: func() { ch.Detach() }, work: func(n int) measure.Sample {
		for n > 0 {
			k := min(n, many)
			for i := range values[:k] {
				sent.write(values[i][:])
			}
			var err error
			if many == 1 {
				err = ch.Send(ctx, values[0])
			} else {
				_, err = ch.SendAll(ctx, values[:k])
			}
			must(err)
			n -= k
		}
		return done()
	}}
}

// sources takes a URL, slots, and how many goroutines send, by 64. They number their
// values together, so that gatherer can see that none is lost or comes twice.
func sources(args []string) part {
	ch := open[message](args[0], "stream", handoff.Slots(count(args[1])))
	var next atomic.Uint64
	workers := make([]func(int), count(args[2]))
	for i := range workers {
		values := make([]message, batch)
		workers[i] = func(n int) {
			for n > 0 {
				k := min(n, batch)
				first := number{next.Add(uint64(k)) - uint64(k)}
				for i := range values[:k] {
					first.write(values[i][:])
				}
				_, err := ch.SendAll(context.Background(), values[:k])
				must(err)
				n -= k
			}
		}
	}
	return part{end: func() { ch.Detach() }, work: func(n int) measure.Sample {
		together(n, workers)
		return done()
	}}
}

// gatherer takes a URL and slots, and receives what sources send: in any order, but
// all of it and nothing else.
func gatherer(args []string) part {
	ch, buf := open[message](args[0], "stream", handoff.Slots(count(args[1]))), make([]message, batch)
	var from uint64
	return part{end: func() { ch.Detach() }, work: func(n int) measure.Sample {
		seen := make([]bool, n)
		for left := n; left > 0; {
			k, err := ch.RecvInto(context.Background(), buf[:min(left, batch)])
			must(err)
			for i := range buf[:k] {
				at := binary.LittleEndian.Uint64(buf[i][:]) - from
				if at >= uint64(n) || seen[at] {
					panic(fmt.Sprintf("message %d of %d came, or came again", at, n))
				}
				seen[at] = true
			}
			left -= k
		}
		from += uint64(n)
		return done()
	}}
}

// sink takes a URL, slots, and how many values to receive at once.
func sink(args []string) part {
	ch, many := open[message](args[0], "stream", handoff.Slots(count(args[1]))), count(args[2])
	buf, ctx := make([]message, many), context.Background()
	var came number
	return part{end: func() { ch.Detach() }, work: func(n int) measure.Sample {
		for n > 0 {
			k, err := 1, error(nil)
			if many == 1 {
				buf[0], err = ch.Recv(ctx)
			} else {
				k, err = ch.RecvInto(ctx, buf[:min(n, many)])
			}
			must(err)
			for i := range buf[:k] {
				came.see(buf[i][:])
			}
			n -= k
		}
		return done()
	}}
}

// lacksScheme says why channels of a scheme cannot be opened, "" if they can.
func lacksScheme(scheme string) string {
	_, err := handoff.Open[int](context.Background(), scheme+"://127.0.0.1:1/x")
	if errors.Is(err, handoff.ErrUnsupported) || err != nil && strings.Contains(err.Error(), "scheme") {
		return "the scheme " + scheme + "://: " + handoff.Reason(err)
	}
	return ""
}
