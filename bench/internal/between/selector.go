package between

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/bench/measure"
)

func init() {
	roles["selector"] = selector
	roles["counter"] = counter
}

// selector takes a URL and a side. The two sides do mirrored selects, one of which
// sends where the other receives: each commit of one is a commit of the other.
func selector(args []string) part {
	to, from := open[message](args[0], "left", handoff.Slots(0)), open[message](args[0], "right", handoff.Slots(0))
	if args[1] == "right" {
		to, from = from, to
	}
	var m message
	s := handoff.NewSelector(to.OnSendVar(&m, nil), from.OnRecv(nil))
	return part{work: func(n int) measure.Sample {
		for range n {
			_, err := s.Select(context.Background())
			must(err)
		}
		return done()
	}}
}

// counter takes the address of a home over TCP, stands between it and its clients,
// and answers with the number of frames that went through in both directions.
func counter(args []string) part {
	l, at := listen(tcp, "")
	var frames atomic.Int64
	go eachConn(l, func(conn net.Conn) {
		to := dial(tcp + "," + args[0])
		go io.Copy(io.MultiWriter(to, &frameCounter{count: &frames}), conn)
		io.Copy(io.MultiWriter(conn, &frameCounter{count: &frames}), to)
	})
	return part{at: at[len(tcp+","):], work: func(int) measure.Sample {
		return measure.Sample{Elapsed: time.Duration(frames.Load())}
	}}
}

// hostOf returns the address in a tcp: URL.
func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "tcp://"), "/")
	return host
}

// frameCounter is written one direction of a connection. A frame is a head of 8
// bytes, of which the first four are the length of what follows; before the first
// is a preface of 8 bytes, see docs/spec/wire.md.
type frameCounter struct {
	count   *atomic.Int64
	head    []byte
	skip    int // bytes of a body that are still to come
	started bool
}

// Write implements io.Writer.
func (c *frameCounter) Write(b []byte) (int, error) {
	for all := len(b); ; {
		k := min(c.skip, len(b))
		b, c.skip = b[k:], c.skip-k
		if len(b) == 0 {
			return all, nil
		}
		k = min(8-len(c.head), len(b))
		c.head, b = append(c.head, b[:k]...), b[k:]
		if len(c.head) < 8 {
			continue
		}
		if c.started {
			c.skip = int(uint32(c.head[0]) | uint32(c.head[1])<<8 | uint32(c.head[2])<<16 | uint32(c.head[3])<<24)
			c.count.Add(1)
		}
		c.head, c.started = c.head[:0], true
	}
}
