package between

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// A bare multiplexer: many callers over one connection, each of which waits for the
// acknowledgement of its own message. Frames have a length and the number of the
// caller; what callers add while a write runs goes out with the next. That is
// what anybody would write who needs this and nothing else: nothing is kept,
// bounded or resumed, and the receiver is a check.

func init() {
	roles["mux callers"] = muxCallers
	roles["mux sink"] = muxSink
}

// muxHead is the length of the body and the caller.
const muxHead = 4 + 8

func appendFrame(b []byte, caller uint64, body []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint64(b, caller)
	return append(b, body...)
}

// readFrame reads the next frame. The body is good until the next call.
func readFrame(in *bufio.Reader, body []byte) (caller uint64, _ []byte, err error) {
	head, err := in.Peek(muxHead)
	if err != nil {
		return 0, nil, err
	}
	body, caller = body[:binary.LittleEndian.Uint32(head)], binary.LittleEndian.Uint64(head[4:])
	in.Discard(muxHead) // it was peeked at
	_, err = io.ReadFull(in, body)
	return caller, body, err
}

// mux is the callers' side.
type mux struct {
	conn    net.Conn
	acked   []chan struct{} // by caller
	wake    chan struct{}   // one slot: something is pending
	mu      sync.Mutex      // guards pending
	pending []byte
}

// call sends m for caller and waits until it is acknowledged.
func (x *mux) call(caller int, m []byte) {
	x.mu.Lock()
	x.pending = appendFrame(x.pending, uint64(caller), m)
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
	<-x.acked[caller]
}

// write is the one writer. It lives as long as the process.
func (x *mux) write() {
	var spare []byte
	for range x.wake {
		x.mu.Lock()
		out := x.pending
		x.pending = spare[:0]
		x.mu.Unlock()
		_, err := x.conn.Write(out)
		must(err)
		spare = out
	}
}

// read wakes whose message arrived. It lives as long as the process.
func (x *mux) read() {
	in, body := bufio.NewReaderSize(x.conn, rawBatch), make([]byte, size)
	for {
		caller, _, err := readFrame(in, body)
		if err == io.EOF {
			return // the sink has ended
		}
		must(err)
		x.acked[caller] <- struct{}{}
	}
}

// muxCallers takes an address and a number of callers.
func muxCallers(args []string) part {
	x := &mux{conn: dial(args[0]), wake: make(chan struct{}, 1)}
	callers := make([]func(n int), count(args[1]))
	for i := range callers {
		x.acked = append(x.acked, make(chan struct{}, 1))
		callers[i] = func(n int) {
			m := message{}
			for range n {
				x.call(i, m[:])
			}
		}
	}
	go x.write()
	go x.read()
	return part{work: func(n int) measure.Sample { return together(n, callers) }}
}

// together has workers do n operations between them, from the moment all may go
// until the last is done.
func together(n int, workers []func(n int)) measure.Sample {
	loads := make([]func(), len(workers))
	for i, w := range workers {
		share := measure.Share(n, len(workers), i)
		loads[i] = func() { w(share) }
	}
	return measure.Together(loads...)
}

// muxSink takes network and path. It looks at what comes and acknowledges it, with one
// write for all that one read brought.
func muxSink(args []string) part {
	l, at := listen(args[0], args[1])
	go eachConn(l, func(conn net.Conn) {
		in, body, acks := bufio.NewReaderSize(conn, rawBatch), make([]byte, size), []byte(nil)
		for {
			caller, m, err := readFrame(in, body)
			if err != nil {
				return // the callers have ended
			}
			if len(m) != size {
				panic("a message of another size")
			}
			if acks = appendFrame(acks, caller, nil); in.Buffered() > 0 {
				continue
			}
			if _, err := conn.Write(acks); err != nil {
				return
			}
			acks = acks[:0]
		}
	})
	return part{at: at}
}
