package between

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// size is how long a message is where the name of a row says nothing else.
const size = 64

// batch is how many messages are sent and received at once where a rival can.
const batch = 64

// message is what most rows carry. It begins with its number.
type message [size]byte

// number writes the number of the next message into m.
type number struct{ next uint64 }

func (c *number) write(m []byte) {
	binary.LittleEndian.PutUint64(m, c.next)
	c.next++
}

// see panics unless m is the next message: none lost, none twice, none overtaken.
func (c *number) see(m []byte) {
	if got := binary.LittleEndian.Uint64(m); got != c.next {
		panic(fmt.Sprintf("message %d came where %d was due", got, c.next))
	}
	c.next++
}

// alone does n operations one after the other and times each. The clock is within
// the figures, for all alike.
func alone(n int, operate func()) measure.Sample {
	each := make([]time.Duration, n)
	begin := time.Now()
	last := begin
	for i := range each {
		operate()
		now := time.Now()
		each[i], last = now.Sub(last), now
	}
	return measure.Sample{Elapsed: last.Sub(begin), Each: each}
}

// done is the answer of those who do not know how long it took: the sample ends
// when all have answered.
func done() measure.Sample { return measure.Sample{} }
