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
	}
}
