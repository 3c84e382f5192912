package rival

import (
	"context"

	eapache "github.com/eapache/channels"
	smallnest "github.com/smallnest/chanx"
	design "golang.design/x/chann"
)

// Their ends are channels of the language, so they keep its laws as far as the
// goroutine between the ends lets them.

const between = "unbounded: no send ever waits, so there is no rendezvous and no capacity; a goroutine of its own copies every value from one channel to another"

var chann = rival{
	name: "chann", lacks: anywhere,
	laws: "golang.design/x/chann with a capacity is the language's own channel behind two methods, and keeps its laws",
	open: func(l load) queue {
		ch := design.New[int](design.Cap(l.slots))
		return ends(ch.In(), ch.Out())
	},
}

var channEndless = rival{
	name: "chann", lacks: anywhere, laws: "golang.design/x/chann without a capacity is " + between,
	open: func(load) queue {
		ch := design.New[int]()
		q := ends(ch.In(), ch.Out())
		q.end = func() { ch.Close(); drained(ch.Out()) }
		return q
	},
}

var chanx = rival{
	name: "chanx", lacks: anywhere, laws: "smallnest/chanx is " + between,
	open: func(l load) queue {
		ch := smallnest.NewUnboundedChan[int](context.Background(), 128)
		q := ends(ch.In, ch.Out)
		q.end = func() { close(ch.In); drained(ch.Out) }
		return q
	},
}

var channels = rival{
	name: "channels", lacks: anywhere,
	laws: "eapache/channels with a capacity is the language's own channel of interface values: its laws are kept, but not types, and nearly every value is allocated",
	open: func(l load) queue {
		ch := eapache.NewNativeChannel(eapache.BufferCap(l.slots))
		return untyped(ch)
	},
}

var channelsEndless = rival{
	name: "channels", lacks: anywhere, laws: "eapache/channels without a capacity is " + between + "; it carries interface values",
	open: func(load) queue {
		ch := eapache.NewInfiniteChannel()
		q := untyped(ch)
		q.end = func() { ch.Close(); drained(ch.Out()) }
		return q
	},
}

func untyped(ch eapache.Channel) queue {
	in, out := ch.In(), ch.Out()
	return queue{
		send: func(from, n int) {
			for i := range n {
				in <- from + i
			}
		},
		recv: func(n int) (sum int) {
			for range n {
				sum += (<-out).(int)
			}
			return sum
		},
	}
}

// drained waits until what is behind a closed channel has ended. A value that
// is left would be one too many.
func drained[T any](out <-chan T) {
	for v := range out {
		check(false, "a value nobody sent: %v", v)
	}
}

// zenq is here to be named: nobody is left out in silence.
var zenq = rival{
	name: "zenq", laws: "alphadose/zenq could not be had: the module proxy of the run had neither its newest version nor the older ones asked for",
	lacks: func(int, int, int) string { return "the module proxy of the run did not have it" },
}
