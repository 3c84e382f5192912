package netchan_test

import (
	"net"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/internal/wire"
)

// TestLargeSendsAreNotInTheWay: what other channels have to say waits for a part of a
// channel's large values, and not for all that are there.
func TestLargeSendsAreNotInTheWay(t *testing.T) {
	const many, long = 256, 64 << 10
	read, before := make(chan struct{}), make(chan int, 1)
	at := fake(t, func(conn net.Conn) {
		defer close(before)
		r := welcome(t, conn)
		for i := range 2 {
			r.Next() // OPEN
			conn.Write((&wire.Opened{Channel: uint32(i + 1), Op: uint64(i + 1), MaxValue: long, Ops: 2 * many, Bytes: 2 * many * long}).Append(nil))
		}
		<-read
		for large, next := 0, uint64(3); large < many; {
			h, body, err := r.Next()
			if err != nil {
				return
			}
			f := &wire.Send{}
			if f.Parse(h, body) != nil {
				continue
			}
			if f.Channel == 2 {
				before <- large * long
				return
			}
			if f.Op < next {
				t.Errorf("send %d came after %d", f.Op, next)
			}
			large, next = large+1, f.Op
		}
	})
	large, small := open(t, at, "large", both), open(t, at, "small", both)
	for range many {
		large.send(strings.Repeat("x", long))
	}
	small.send("y")
	close(read)
	if n, ok := <-before; !ok || n > 6*wire.Quantum {
		t.Errorf("a small value came behind %d bytes of another channel (%v), of %d", n, ok, many*long)
	}
}
