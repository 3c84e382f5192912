package between

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// NATS, with its server in a process of its own. Its core may drop what a receiver
// does not take in time, JetStream keeps it until it is acknowledged.

func init() {
	roles["nats server"] = natsServer
	roles["nats source"] = natsSource
	roles["nats sink"] = natsSink
	roles["jetstream source"] = jetSource
	roles["jetstream sink"] = jetSink
}

const (
	subject    = "bench"
	streamName = "BENCH"
)

// natsStart is how long the server may take to be ready.
const natsStart = 10 * time.Second

func natsServer([]string) part {
	dir, err := os.MkdirTemp("", "handoff-bench-nats-")
	must(err)
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	must(err)
	s.Start()
	check(s.ReadyForConnections(natsStart), "nats-server is not ready in %v", natsStart)
	return part{at: s.ClientURL(), end: func() {
		s.Shutdown()
		s.WaitForShutdown()
		os.RemoveAll(dir)
	}}
}

func natsConn(url string) *nats.Conn {
	nc, err := nats.Connect(url)
	must(err)
	return nc
}

func natsSource(args []string) part {
	nc := natsConn(args[0])
	var sent number
	return part{work: func(n int) measure.Sample {
		var m message
		for range n {
			sent.write(m[:])
			must(nc.Publish(subject, m[:]))
		}
		must(nc.Flush())
		return done()
	}}
}

// counted checks messages where they come in a callback.
type counted struct {
	came    number
	arrived atomic.Uint64
	target  atomic.Uint64 // 0, or how many are waited for
	all     chan struct{} // told when so many have come; one slot
}

func newCounted() *counted { return &counted{all: make(chan struct{}, 1)} }

// see is for the callback.
func (c *counted) see(m []byte) {
	c.came.see(m)
	if n := c.arrived.Add(1); n == c.target.Load() {
		c.tell()
	}
}

func (c *counted) tell() {
	select {
	case c.all <- struct{}{}:
	default:
	}
}

// await returns when n more have come than had been waited for before.
func (c *counted) await(n int) {
	target := c.target.Load() + uint64(n)
	c.target.Store(target)
	for c.arrived.Load() < target {
		<-c.all
	}
}

func natsSink(args []string) part {
	nc, c := natsConn(args[0]), newCounted()
	sub, err := nc.Subscribe(subject, func(m *nats.Msg) { c.see(m.Data) })
	must(err)
	must(sub.SetPendingLimits(-1, -1)) // or it drops what comes too fast
	must(nc.Flush())                   // the server knows of it before anything is sent
	return part{work: func(n int) measure.Sample {
		c.await(n)
		return done()
	}}
}

// jetPending is how many messages may be on their way without an acknowledgement.
const jetPending = 4096

func jetSource(args []string) part {
	js, err := jetstream.New(natsConn(args[0]), jetstream.WithPublishAsyncMaxPending(jetPending))
	must(err)
	var sent number
	return part{work: func(n int) measure.Sample {
		for range n {
			var m message
			sent.write(m[:])
			_, err := js.PublishAsync(subject, m[:])
			must(err)
		}
		<-js.PublishAsyncComplete()
		return done()
	}}
}

// jetSink makes the stream, which is in the server's memory and forgets what was
// acknowledged.
func jetSink(args []string) part {
	js, err := jetstream.New(natsConn(args[0]))
	must(err)
	ctx, c := context.Background(), newCounted()
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: streamName, Subjects: []string{subject}, Storage: jetstream.MemoryStorage, Retention: jetstream.WorkQueuePolicy,
	})
	must(err)
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: jetPending})
	must(err)
	_, err = consumer.Consume(func(m jetstream.Msg) {
		c.see(m.Data())
		must(m.Ack())
	}, jetstream.PullMaxMessages(jetPending))
	must(err)
	return part{work: func(n int) measure.Sample {
		c.await(n)
		return done()
	}}
}
