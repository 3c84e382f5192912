package between

// Notes says how each contender is used and what it leaves out, in the order of the
// tables.
func Notes() []string {
	return []string{
		"ours: SendAll into a channel of 4,096 slots, RecvInto up to 64 values; each SendAll returns when its values have slots.",
		"raw socket: bytes without frames; nobody knows what arrived, and its receiver is the only one.",
		"bare multiplexer: 64 callers over one connection, frames with a number, one writer that collects while it writes; nothing is bounded, kept or resumed.",
		"NATS core: nats-server in a process of its own, Publish and a Flush at the end, an asynchronous subscription without limits; Publish returns before anybody has the message, and what a receiver does not take in time may be dropped.",
		"libzmq, nng, mangos: PUSH and PULL with the defaults (nng: buffers of 1,000 messages where it has them, as libzmq), a process each; a send returns when the message is in the sender's own queue and is lost with it.",
		"gRPC: one stream from the client, messages are bytes without another format; a send returns when there is room in the window.",
		"Erlang: messages between two nodes over its distribution, from one process to one other; a send returns at once and its mailbox has no bound.",
		"Redis: a list without persistence, pipelines of 64 RPUSH, BLMPOP of up to 64; a message that is popped is gone even if its receiver dies.",
		"NATS JetStream: a stream in the server's memory, 4,096 publications and messages not yet acknowledged at once, explicit acknowledgement of each, without waiting for it.",
		"shm, round trips: one channel there and one back, 16 slots each. Parked is with GOMAXPROCS=1, where nobody spins; spinning is timed together and not one by one, as reading the clock takes as long.",
		"bare doorbell: a line of the cache in each direction and a FIFO for each process, rung for every message, waited for by the runtime's poller; no queue, one sender and one receiver. Bare line: the same without the FIFO, both look at it without pause.",
		"POSIX message queue: 10 messages, which is what the system allows by default. Boost.Interprocess: message_queue, 4,096 messages; its lock is not given back when its owner dies. libzmq over ipc: PAIR, and one way PUSH and PULL.",
		"shmipc-go: one stream, its default sizes of blocks and a fifth of the memory in blocks of 256 B; where its queue is full the library sleeps for 10 ms at a time, and after a tenth of a second gives the message back, which is then sent again.",
		"iceoryx: version 2.0 with its daemon, whose CPU time is not counted; a chunk loaned for each message, a queue of 256 (4 of the largest), a publisher that waits for its subscriber, and a WaitSet where it does not spin.",
	}
}
