package wire

import "github.com/handoff-go/handoff/driver"

// Receive is a RECV or a TAKE.
type Receive struct {
	Type    Type
	Channel uint32
	Op      uint64
	Flags   uint8
	Max     uint32
}

// Length implements Frame.
func (f *Receive) Length() int { return HeaderLength + 4 + 8 + 4 }

// Append implements Frame.
func (f *Receive) Append(b []byte) []byte {
	b, start := begin(b, f.Type, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	return finish(appendU32(b, f.Max), start)
}

// ParseReceive reads the body of a RECV or TAKE.
func ParseReceive(h Header, body []byte) (*Receive, error) {
	f := new(Receive)
	return f, f.Parse(h, body)
}

// Parse is ParseReceive into f.
func (f *Receive) Parse(h Header, body []byte) error {
	if err := flags(h, FlagTry); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = Receive{Type: h.Type, Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Max: c.u32()}
	if f.Max == 0 && !c.bad {
		return broken("%v of nothing", h.Type)
	}
	return c.end(h.Type)
}

// FlagMore marks a DELIVER that is followed by another of the same operation.
const FlagMore uint8 = 1

// Deliver hands values to a receiver.
type Deliver struct {
	Channel uint32
	Op      uint64
	Flags   uint8
	Items   []driver.Item
}

// deliverItemMin is the least a value takes in a DELIVER.
const deliverItemMin = 4 + 8 + 8 + 2 + 4

// DeliverLength is how many bytes a value takes in a DELIVER.
func DeliverLength(it *driver.Item) int {
	return deliverItemMin - 2 + headersLength(it.Header) + len(it.Value)
}

// Length implements Frame.
func (f *Deliver) Length() int {
	n := HeaderLength + 4 + 8 + 4
	for i := range f.Items {
		n += DeliverLength(&f.Items[i])
	}
	return n
}

// Append implements Frame. The headers must fit.
func (f *Deliver) Append(b []byte) []byte {
	b, start := begin(b, TypeDeliver, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendU32(b, uint32(len(f.Items)))
	for i := range f.Items {
		b = appendDelivered(b, &f.Items[i])
	}
	return finish(b, start)
}

// appendDelivered adds a value on its way to a receiver.
func appendDelivered(b []byte, it *driver.Item) []byte {
	b = appendU32(b, uint32(it.Attempt))
	b = appendU64(appendU64(b, it.Hold.ID), it.Hold.Generation)
	return appendBlob(appendHeaders(b, it.Header), it.Value)
}

// delivered reads what appendDelivered added.
func (c *cursor) delivered() driver.Item {
	return driver.Item{
		Attempt: int(int32(c.u32())),
		Hold:    driver.Hold{ID: c.u64(), Generation: c.u64()},
		Header:  c.headers(), Value: c.blob(),
	}
}

// ParseDeliver reads the body of a DELIVER. The values lie in body.
func ParseDeliver(h Header, body []byte) (*Deliver, error) {
	f := new(Deliver)
	return f, f.Parse(h, body)
}

// Parse is ParseDeliver into f, with the room its Items have.
func (f *Deliver) Parse(h Header, body []byte) error {
	if err := flags(h, FlagMore); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = Deliver{Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Items: f.Items[:0]}
	n := c.count(deliverItemMin)
	if n == 0 && !c.bad {
		return broken("DELIVER of nothing")
	}
	if n > MaxBatch {
		return broken("DELIVER of %d values", n)
	}
	for range n {
		it := c.delivered()
		if c.bad {
			break
		}
		f.Items = append(f.Items, it)
	}
	return c.end(h.Type)
}
