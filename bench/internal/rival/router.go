package rival

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/gochannel"
	"gocloud.dev/pubsub"
	memory "gocloud.dev/pubsub/mempubsub"
)

// Message routers within the process: a value travels as bytes, the receivers
// share one subscription, and each acknowledges what it has.

const topic = "values"

func encoded(v int) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }

func decoded(b []byte) int { return int(binary.LittleEndian.Uint64(b)) }

var goChannelFirm = rival{
	name: "watermill", lacks: anywhere,
	laws: "watermill's GoChannel, where publishing waits until the receiver has acknowledged: one value is under way at a time whatever the capacity, behind a lock; every subscription sees every value; no select; with the identifier its documentation gives every message",
	open: func(l load) queue { return goChannel(l, true) },
}

var goChannelLoose = rival{
	name: "watermill, not waiting", lacks: anywhere,
	laws: "watermill's GoChannel as it is by default: publishing starts two goroutines a value, in no order and without a bound",
	open: func(l load) queue { return goChannel(l, false) },
}

func goChannel(l load, wait bool) queue {
	bus := gochannel.NewGoChannel(gochannel.Config{
		OutputChannelBuffer: int64(l.slots), BlockPublishUntilSubscriberAck: wait,
	}, nil)
	out, err := bus.Subscribe(context.Background(), topic)
	must(err)
	return queue{
		send: func(from, n int) {
			for i := range n {
				must(bus.Publish(topic, message.NewMessage(watermill.NewUUID(), encoded(from+i))))
			}
		},
		recv: func(n int) (sum int) {
			for range n {
				m := <-out
				sum += decoded(m.Payload)
				m.Ack()
			}
			return sum
		},
		end: func() { must(bus.Close()) },
	}
}

var mempubsub = rival{
	name: "mempubsub", lacks: anywhere,
	laws: "gocloud.dev/pubsub/mempubsub is for tests, says its author: unbounded; at least once and in no order, after an acknowledgement in the background; an empty subscription is asked again every 250 ms; no rendezvous, no select",
	open: func(load) queue {
		ctx, in := context.Background(), memory.NewTopic()
		out := memory.NewSubscription(in, time.Minute)
		return queue{
			send: func(from, n int) {
				for i := range n {
					must(in.Send(ctx, &pubsub.Message{Body: encoded(from + i)}))
				}
			},
			recv: func(n int) (sum int) {
				for range n {
					m, err := out.Receive(ctx)
					must(err)
					sum += decoded(m.Body)
					m.Ack()
				}
				return sum
			},
			end: func() {
				must(out.Shutdown(ctx))
				must(in.Shutdown(ctx))
			},
		}
	},
}
