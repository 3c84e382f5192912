package wire

import "github.com/handoff-go/handoff/driver"

// FlagTry marks a SEND, RECV or TAKE that never waits.
const FlagTry uint8 = 1

// Send hands values to the home, in order.
type Send struct {
	Channel uint32
	Op      uint64
	Flags   uint8
	Items   []driver.Item // Value and Header of each
}

// sendItemMin is the least a value takes in a SEND.
const sendItemMin = 2 + 4

// SendLength is how many bytes a value takes in a SEND.
func SendLength(it *driver.Item) int { return headersLength(it.Header) + 4 + len(it.Value) }

// Cost is what a value in a send that waits counts for against the limit of its
// attachment: its bytes, and 64 for being there.
func Cost(it *driver.Item) int { return 64 + headersLength(it.Header) + len(it.Value) }

// Length implements Frame.
func (f *Send) Length() int {
	n := HeaderLength + 4 + 8 + 4
	for i := range f.Items {
		n += SendLength(&f.Items[i])
	}
	return n
}

// Append implements Frame. The headers must fit.
func (f *Send) Append(b []byte) []byte {
	b, start := begin(b, TypeSend, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendU32(b, uint32(len(f.Items)))
	for i := range f.Items {
		b = appendHeaders(b, f.Items[i].Header)
		b = appendBlob(b, f.Items[i].Value)
	}
	return finish(b, start)
}

// ParseSend reads the body of a SEND. The values lie in body.
func ParseSend(h Header, body []byte) (*Send, error) {
	f := new(Send)
	return f, f.Parse(h, body)
}

// Parse is ParseSend into f, with the room its Items have.
func (f *Send) Parse(h Header, body []byte) error {
	if err := flags(h, FlagTry); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = Send{Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Items: f.Items[:0]}
	n := c.count(sendItemMin)
	if n == 0 && !c.bad {
		return broken("SEND of nothing")
	}
	if n > MaxBatch {
		return broken("SEND of %d values", n)
	}
	for range n {
		it := driver.Item{Header: c.headers(), Value: c.blob()}
		if c.bad {
			break
		}
		f.Items = append(f.Items, it)
	}
	return c.end(h.Type)
}
